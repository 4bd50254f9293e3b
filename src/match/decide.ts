import type { Json } from '../json/parse.ts'
import type { Members } from '../serve/values.ts'
import type { Declarations } from './plan.ts'
import type { Subject } from './subject.ts'

/** What tells pipelines apart that the recordings leave open. */
export interface Deciding {
  /** The instance, made of recorded ones, to which most of the others answer otherwise; null where none does. */
  readonly instance: Members | null
  /** How many of the others it tells from the one that was found. */
  readonly apart: number
  /** Whether an instance that was tried tells each of the others from the one that was found. */
  readonly differ: readonly boolean[]
}

/** Compares `found` with `others`, which answer the recordings alike, on instances with other values of `features`. */
export function deciding(
  subject: Subject,
  found: Declarations,
  others: readonly Declarations[],
  features: ReadonlySet<string>,
): Deciding {
  let [instance, apart] = [null as Members | null, 0]
  const differ = others.map(() => false)
  for (const name of features) {
    const place = subject.places.find(({ rows }) => rows.some((row) => Object.hasOwn(row, name)))
    if (place === undefined) continue
    const row = Math.max(
      0,
      place.rows.findIndex((one) => !isEmpty(one[name])),
    )
    for (const value of variants(place.rows.map((one) => one[name]))) {
      const tried = { ...place.rows[row], [name]: value }
      const answer = subject.fingerprint(found, row, tried)
      const told = others.map((other) => subject.fingerprint(other, row, tried) !== answer)
      const count = told.filter((different) => different).length
      for (const [i, different] of told.entries()) if (different) differ[i] = true
      if (count > apart) [instance, apart] = [tried, count]
    }
  }
  return { instance, apart, differ }
}

const isEmpty = (value: Json | undefined): boolean =>
  value === undefined || value === '' || (Array.isArray(value) && value.length === 0)

/** Values like the recorded ones that pipelines often treat otherwise. */
function variants(values: readonly (Json | undefined)[]): Json[] {
  const some = values.find((value) => !isEmpty(value)) ?? null
  if (Array.isArray(some)) {
    if (some.length === 1)
      return variants(values.map((value) => (Array.isArray(value) ? value[0] : value))).map((value) => [value])
    const all = values.flatMap((value) => (Array.isArray(value) ? value : []))
    return [[], some.slice(0, 1), ['zzyzx', ...some], all]
  }
  if (typeof some === 'number') return [0, -some, some * 10, some / 2]
  if (typeof some !== 'string') return []
  const words = [...new Set(values.flatMap((value) => (typeof value === 'string' ? value.split(/\s+/) : [])))].filter(
    (word) => word !== '',
  )
  const long = Array.from({ length: 40 }, (_, i) => words[i % words.length]).join(' ')
  return [
    words[0],
    some.toUpperCase(),
    `${some} zzyzx`,
    `${some}, don't!`,
    `${some} é ÉÉ`,
    ` ${some}  `,
    '',
    long,
    `${words[0]} É ${some.toUpperCase()}, don't! zzyzx`,
    `${words[0]} zzyzx, É ${long.toUpperCase()} don't!`,
  ]
}
