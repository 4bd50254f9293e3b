import type { Model } from '../engine/model.ts'
import type { Port } from '../graph/index.ts'
import type { Json } from '../json/parse.ts'
import { readPredict } from '../serve/predict.ts'
import { columnsOf } from '../serve/rows.ts'
import { scoresOf } from '../serve/sides.ts'
import { isMembers, type Members } from '../serve/values.ts'
import { isFloat, type Tensor } from '../tensor/index.ts'
import { type Element, Gathered } from './gathered.ts'

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

/** Lines of which is told what is wrong; others are counted. */
const TOLD = 1000

/** The answers of two models, compared line by line; what is kept does not grow with their number. */
export class Answers {
  /** Lines that a model refused, or that they answer in other shapes: the first of them. */
  readonly problems: string[] = []
  /** How many more there are. */
  untold = 0
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
        if (result instanceof Error) this.problem(`${at}: ${name} refuses it: ${result.message}`)
    } else {
      for (const name of new Set([...Object.keys(ours), ...Object.keys(theirs)]))
        this.gather(name, ours[name], theirs[name], at)
    }
  }

  private gather(name: string, a: Tensor | undefined, b: Tensor | undefined, at: string): void {
    if (a === undefined || b === undefined) {
      this.problem(`${at}: only ${a === undefined ? 'B' : 'A'} has output "${name}"`)
      return
    }
    if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) {
      this.problem(`${at}: output "${name}" is ${a.dtype}[${a.shape}] of A, ${b.dtype}[${b.shape}] of B`)
      return
    }
    const gathered = this.outputs.get(name) ?? new Gathered()
    this.outputs.set(name, gathered)
    const areScores = isFloat(a.dtype) && a.shape.length > 0 && a.shape.slice(1).every((size) => size === 1)
    gathered.add(elements(a), elements(b), areScores)
  }

  /** What was gathered, an output each. */
  changes(): OutputChange[] {
    return [...this.outputs].map(([output, { values, different, distance, rank }]) => {
      return { output, values, ...distance, different, rank }
    })
  }

  /** Notes what is wrong with a line. */
  problem(told: string): void {
    if (this.problems.length < TOLD) this.problems.push(told)
    else this.untold++
  }
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
