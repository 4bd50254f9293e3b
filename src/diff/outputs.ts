import type { Model } from '../engine/model.ts'
import type { Port } from '../graph/index.ts'
import type { Json } from '../json/parse.ts'
import { readPredict } from '../serve/predict.ts'
import { columnsOf } from '../serve/rows.ts'
import { scoresOf } from '../serve/sides.ts'
import { isMembers, type Members } from '../serve/values.ts'
import { isFloat, type Tensor } from '../tensor/index.ts'
import { distance } from './weights.ts'

/** How the answers of two models differ in one output. */
export interface OutputChange {
  readonly output: string
  readonly values: number
  /** The largest and the mean absolute difference of numbers. */
  readonly max: number
  readonly mean: number
  /** Values that are not the same: of strings, all that there is to say. */
  readonly different: number
  /** Spearman's correlation of the scores, 1 where both rank alike; null where there are no two scores to rank. */
  readonly rank: number | null
}

/** The answers of two models, gathered line by line. */
export class Answers {
  /** Lines that a model refused, or that they answer in other shapes. */
  readonly problems: string[] = []
  /** Lines that both refuse for the same reason, and that of the first. */
  refusals = 0
  refusal: string | null = null
  private readonly outputs = new Map<string, Gathered>()
  private readonly a: Model
  private readonly b: Model

  constructor(a: Model, b: Model) {
    this.a = a
    this.b = b
  }

  /** Gives both models the same line: a predict body, `{query, candidate}`, or a row of raw features. */
  ask(body: Json, at: string): void {
    const [ours, theirs] = [attempt(() => answer(this.a, body)), attempt(() => answer(this.b, body))]
    if (ours instanceof Error && theirs instanceof Error && ours.message === theirs.message) {
      this.refusals++
      this.refusal ??= `${at}: ${ours.message}`
    } else if (ours instanceof Error || theirs instanceof Error) {
      for (const [name, result] of [
        ['A', ours],
        ['B', theirs],
      ] as const)
        if (result instanceof Error) this.problems.push(`${at}: ${name} refuses it: ${result.message}`)
    } else {
      for (const name of new Set([...Object.keys(ours), ...Object.keys(theirs)]))
        this.gather(name, ours[name], theirs[name], at)
    }
  }

  private gather(name: string, a: Tensor | undefined, b: Tensor | undefined, at: string): void {
    if (a === undefined || b === undefined) {
      this.problems.push(`${at}: only ${a === undefined ? 'B' : 'A'} has output "${name}"`)
      return
    }
    if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) {
      this.problems.push(`${at}: output "${name}" is ${a.dtype}[${a.shape}] of A, ${b.dtype}[${b.shape}] of B`)
      return
    }
    const gathered = this.outputs.get(name) ?? { a: [], b: [], scores: [] }
    this.outputs.set(name, gathered)
    const [ours, theirs] = [elements(a), elements(b)]
    const start = gathered.a.length
    for (const value of ours) gathered.a.push(value)
    for (const value of theirs) gathered.b.push(value)
    // A score is one value a row.
    const isScore = isFloat(a.dtype) && a.shape.length > 0 && a.shape.slice(1).every((size) => size === 1)
    if (isScore) gathered.scores.push({ start, count: ours.length })
  }

  /** What was gathered, an output each. */
  changes(): OutputChange[] {
    return [...this.outputs].map(([output, { a, b, scores }]) => {
      const numbers = a.every((value) => typeof value !== 'string')
      const { max, mean } = numbers ? distance(a as (number | bigint)[], b as (number | bigint)[]) : { max: 0, mean: 0 }
      const different = a.filter((value, i) => value !== b[i] && !Object.is(value, b[i])).length
      return { output, values: a.length, max, mean, different, rank: rankAgreement(a, b, scores) }
    })
  }
}

type Element = number | bigint | string

interface Gathered {
  readonly a: Element[]
  readonly b: Element[]
  /** Where a line's scores stand. */
  readonly scores: { readonly start: number; readonly count: number }[]
}

function attempt<T>(work: () => T): T | Error {
  try {
    return work()
  } catch (error) {
    return error as Error
  }
}

function answer(model: Model, body: Json): Record<string, Tensor> {
  if (!isMembers(body)) throw new TypeError('a line must be a JSON object')
  if (body.inputs !== undefined || body.instances !== undefined) {
    const { signature, inputs } = readPredict(body, model)
    return copied(model.evaluate(signature, inputs))
  }
  if (body.query !== undefined && (body.candidate ?? body.candidates) !== undefined) {
    const candidates = body.candidate === undefined ? body.candidates : [body.candidate]
    if (!Array.isArray(candidates)) throw new TypeError('"candidates" must be a list')
    const scores = scoresOf(model, body.query, candidates)
    return { score: { dtype: 'float32', shape: [scores.length], data: scores } }
  }
  return embedded(model, body)
}

/** The embedding of a row by the tower whose features it has; else what the default signature says of it. */
function embedded(model: Model, row: Members): Record<string, Tensor> {
  for (const side of ['query', 'candidate'] as const) {
    if (model.structure[side] === null) continue
    const tower = model[side]
    if (tower.features.every((port) => port.fallback !== undefined || holds(row, port)))
      return { [`${side} embedding`]: tower.embed(columnsOf([row], tower.features)) as Tensor }
  }
  const { signature, inputs } = readPredict({ instances: [row] }, model)
  return copied(model.evaluate(signature, inputs))
}

/** True where a row has a feature, or one of those that a serialized tf.Example is read for. */
const holds = (row: Members, { name, features = {} }: Port): boolean =>
  [name, ...Object.keys(features)].some((one) => Object.hasOwn(row, one))

/** What a model computed is valid until its next call. */
const copied = (outputs: Record<string, Tensor>): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(outputs).map(([name, t]) => [
      name,
      t.dtype === 'string' ? t : ({ ...t, data: t.data.slice() } as Tensor),
    ]),
  )

/** The elements; a string as its bytes in Latin-1, which keeps those that are no text apart. */
function elements(t: Tensor): Element[] {
  if (t.dtype !== 'string') return Array.from(t.data as ArrayLike<number | bigint>)
  return Array.from({ length: t.data.length }, (_, i) =>
    Array.from(t.data.at(i), (byte) => String.fromCharCode(byte)).join(''),
  )
}

/** The mean over the lines that rank several; where every line has one score, over all of them. */
function rankAgreement(a: readonly Element[], b: readonly Element[], scores: Gathered['scores']): number | null {
  const lists = scores.filter(({ count }) => count > 1)
  const spans = lists.length > 0 ? lists : [{ start: 0, count: scores.length === a.length ? a.length : 0 }]
  const found = spans.flatMap(({ start, count }) => {
    const cut = (values: readonly Element[]) => values.slice(start, start + count).map(Number)
    const agreement = count < 2 ? null : spearman(cut(a), cut(b))
    return agreement === null ? [] : [agreement]
  })
  return found.length === 0 ? null : found.reduce((sum, value) => sum + value, 0) / found.length
}

/** The correlation of the ranks, ties sharing theirs; null where one side has ties only. */
function spearman(a: readonly number[], b: readonly number[]): number | null {
  const middle = (a.length - 1) / 2
  const [x, y] = [ranks(a).map((rank) => rank - middle), ranks(b).map((rank) => rank - middle)]
  return distance(x, y).cosine
}

/** From 0 up; NaNs, which are tied, are below all numbers. */
function ranks(values: readonly number[]): number[] {
  const keys = values.map((value) => (Number.isNaN(value) ? null : value))
  // Infinities less infinities are NaN, by which nothing can be sorted.
  const compare = (a: number | null, b: number | null): number =>
    a === b ? 0 : a === null || (b !== null && a < b) ? -1 : 1
  const order = [...keys.keys()].sort((i, j) => compare(keys[i], keys[j]))
  const found = new Array<number>(values.length)
  for (let start = 0, end = 0; start < order.length; start = end) {
    while (end < order.length && keys[order[end]] === keys[order[start]]) end++
    for (let i = start; i < end; i++) found[order[i]] = (start + end - 1) / 2
  }
  return found
}
