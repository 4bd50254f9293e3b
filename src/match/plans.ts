import { toTensor } from '../engine/inputs.ts'
import type { Nested } from '../engine/model.ts'
import type { Port } from '../graph/index.ts'
import type { Json } from '../json/parse.ts'
import { columnsOf } from '../serve/rows.ts'
import { isFloat, isInteger } from '../tensor/index.ts'
import { categoryPlan, multiHotPlan, plainTextPlan } from './category.ts'
import { flat } from './compare.ts'
import { attempt } from './make.ts'
import { numbersPlan } from './numbers.ts'
import { type Plan, planOf } from './plan.ts'
import type { Place } from './subject.ts'
import { type Role, type TextSources, textPlan } from './text.ts'
import type { KnownVocabulary } from './vocabulary.ts'

/** More raw features than these are not tried for an input that has no feature of its name. */
const MOST_FEATURES = 4

/**
 * What may have made the inputs at `places`, one plan for each that is made alone; inputs in `settled` have theirs.
 * @throws {RangeError} where the recordings have no raw feature that an input can be made of
 */
export function plansOf(
  places: readonly Place[],
  vocabularies: readonly KnownVocabulary[],
  settled: ReadonlySet<string>,
): Plan[] {
  const plans: Plan[] = []
  const done = new Set(settled)
  const groups = tokenGroups(places)
  for (const given of places) {
    if (done.has(given.port.name)) continue
    const group = groups.find((roles) => roles.has(given.port)) ?? null
    const of = group === null ? [given.port] : [...group.keys()]
    for (const { name } of of) done.add(name)
    const place = places.find(({ port }) => group?.get(port) === 'ids') ?? given
    const { port } = place
    const from = featuresFor(of, place, places)
    if (from.length === 0) {
      if (port.fallback !== undefined) continue
      throw new RangeError(
        `the recordings have no raw feature for the input "${port.name}": they have ${
          namesOf(place)
            .map((name) => `"${name}"`)
            .join(', ') || 'none'
        }`,
      )
    }
    const plan = planFor(place, group, from, fitting(vocabularies, of, from))
    const stuck = plan.dimensions.some(({ ways }) => ways.length === 0)
    if (stuck) throw new RangeError(`nothing says the ids of the input "${port.name}": name its vocabulary`)
    plans.push(plan)
  }
  return plans
}

function planFor(
  place: Place,
  group: ReadonlyMap<Port, Role> | null,
  from: readonly string[],
  vocabularies: readonly KnownVocabulary[],
): Plan {
  const { port, rows, sizes } = place
  const values = rows.map((row) => row[from[0]])
  const all = values.flatMap((value) => flat(value ?? null))
  const numbers = all.map(Number)
  const numeric = all.every(isNumber)
  const listed = values.some((value) => Array.isArray(value) && value.length !== 1)
  const sources: TextSources = { from, listed, numeric, vocabularies, sizes }
  const asItIs = from[0] === port.name && fits(place)
  if (group !== null && !(asItIs && numeric)) return textPlan(group, sources)
  const width = port.shape?.length === 2 ? (port.shape[1] ?? 0) : port.shape?.length === 1 ? 1 : 0
  if (port.dtype === 'string' && !numeric && port.shape !== null && port.shape.length <= 2)
    return plainTextPlan(port, sources)
  if (isFloat(port.dtype) && numeric && width > 0) return numbersPlan(port, from, numbers)
  if (isFloat(port.dtype) && !numeric && width > 1 && vocabularies.length > 0) return multiHotPlan(port, width, sources)
  if (isInteger(port.dtype) && width === 1) return categoryPlan(port, sources)
  return asItIs || !isInteger(port.dtype) ? untouched(port) : textPlan(new Map([[port, 'ids']]), sources)
}

/** An input that is the raw feature. */
const untouched = ({ name }: Port): Plan => planOf([name], {}, () => ({ [name]: null }))

function fits({ port, rows }: Place): boolean {
  return rows.every(
    (row) =>
      !(attempt(() => toTensor(columnsOf([row], [port])[port.name] as readonly Nested[], port)) instanceof Error),
  )
}

const namesOf = ({ rows }: Place): string[] => [...new Set(rows.flatMap((row) => Object.keys(row)))]

/** Raw features that `ports` may be made of: of the same name, or those that no input is called by, the likeliest first. */
function featuresFor(ports: readonly Port[], place: Place, places: readonly Place[]): string[] {
  const there = namesOf(place).filter((name) => place.rows.every((row) => isValue(row[name], place.port)))
  const own = ports.map(({ name }) => name).filter((name) => there.includes(name))
  if (own.length > 0) return own.slice(0, 1)
  const inputs = new Set(places.map(({ port }) => port.name))
  const free = there.filter((name) => !inputs.has(name))
  const shared = (name: string) =>
    Math.max(...ports.map((port) => wordsOf(name).filter((word) => wordsOf(port.name).includes(word)).length))
  const related = free.filter((name) => shared(name) > 0)
  return (related.length > 0 ? related : free).sort((a, b) => shared(b) - shared(a)).slice(0, MOST_FEATURES)
}

/** Whether `value` may be made into an input; of text there is no way to one real number. */
function isValue(value: Json | undefined, { dtype, shape }: Port): boolean {
  if (value === undefined) return false
  const one = isFloat(dtype) && (shape?.length === 1 || shape?.[1] === 1)
  return flat(value).every((item) => (one ? isNumber(item) : item !== null && typeof item !== 'object'))
}

const isNumber = (value: Json): boolean =>
  value !== null && value !== '' && typeof value !== 'object' && Number.isFinite(Number(value))

const wordsOf = (name: string): string[] =>
  name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)

/** The vocabularies that are for these inputs or features; where none is named for them, those that are for no other. */
function fitting(
  vocabularies: readonly KnownVocabulary[],
  ports: readonly Port[],
  from: readonly string[],
): readonly KnownVocabulary[] {
  const names = new Set([...ports.map(({ name }) => name), ...from])
  const own = vocabularies.filter(({ of }) => of !== undefined && names.has(of))
  return own.length > 0 ? own : vocabularies.filter(({ of }) => of === undefined)
}

/** Inputs that are made of one list of tokens: ids, with the mask, the segments and the count that go with them. */
function tokenGroups(places: readonly Place[]): ReadonlyMap<Port, Role>[] {
  const groups = places
    .filter(({ port }) => isList(port) && roleOf(port) === 'ids' && !isFloat(port.dtype))
    .map((place) => ({ place, roles: new Map<Port, Role>([[place.port, 'ids']]) }))
  for (const { port, rows } of places) {
    const role = roleOf(port)
    if (role === 'ids' || (role === 'count' ? isList(port) : !isList(port))) continue
    const near = groups.filter(({ place }) => place.rows === rows)
    const own = near.filter(({ place }) => stemOf(place.port) === stemOf(port))
    const [group] = own.length > 0 ? own : role !== 'count' && near.length === 1 ? near : []
    group?.roles.set(port, role)
  }
  return groups.map(({ roles }) => roles)
}

const isList = ({ dtype, shape }: Port): boolean =>
  (isInteger(dtype) || isFloat(dtype)) && shape?.length === 2 && shape[1] !== 1

function roleOf({ name }: Port): Role {
  if (/mask/i.test(name)) return 'mask'
  if (/type|segment/i.test(name)) return 'segments'
  return /len(gth)?s?$|count$|^num/i.test(name) ? 'count' : 'ids'
}

const ROLES = new Set(
  'id ids mask masks type types segment segments word words token tokens len length count num'.split(' '),
)
const stemOf = ({ name }: Port): string =>
  wordsOf(name)
    .filter((word) => !ROLES.has(word))
    .join(' ')
