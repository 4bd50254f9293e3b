import type { Features, Model, Nested } from '../engine/model.ts'
import type { Port } from '../graph/index.ts'
import type { Json } from '../json/parse.ts'
import { isBytes, isMembers, type Members } from '../serve/values.ts'
import { openInstance } from '../serve/vertex.ts'
import { type Expected, flat, type Outcome, outcomeOf, refused, rowOf, sizeOfNumbers } from './compare.ts'
import { attempt, Maker } from './make.ts'
import type { Declarations } from './plan.ts'
import type { RecordedAnswer } from './recording.ts'
import type { SimilarityTry } from './similarity.ts'
import { tableSizes } from './sizes.ts'

/** An input that something is to be made for. */
export interface Place {
  readonly port: Port
  /** The raw features of the recordings, in their order. */
  readonly rows: readonly Members[]
  /** Rows of the embedding tables that it chooses from. */
  readonly sizes: readonly number[]
}

/** How declared preprocessing does on recordings. */
export interface Judgement {
  readonly outcomes: readonly Outcome[]
  /** Of scored pairs: the similarities that were tried, the best first. */
  readonly similarities?: readonly SimilarityTry[]
}

/** What recordings are held against: a signature, or two towers and what joins them. */
export interface Subject {
  readonly name: string
  readonly places: readonly Place[]
  /** Where each recording stands. */
  readonly at: readonly string[]
  /** Text that is the same where declarations make the same inputs of these recordings. */
  content(declarations: Declarations, rows: readonly number[]): string
  judge(declarations: Declarations, rows: readonly number[]): Judgement
  /** What the model makes of one raw row in place of recording `row`: text to tell answers apart by. */
  fingerprint(declarations: Declarations, row: number, features: Members): string
}

/** A model's signature with recorded answers to raw instances. */
export class SignatureSubject implements Subject {
  readonly name: string
  readonly places: readonly Place[]
  readonly at: readonly string[]
  private readonly model: Model
  private readonly signature: string
  private readonly expected: readonly (readonly Expected[])[]
  private readonly maker: Maker
  private readonly tolerance: number

  /** @throws {TypeError} where a prediction fits none of the outputs */
  constructor(model: Model, signature: string, answers: readonly RecordedAnswer[], tolerance: number) {
    const { inputs, outputs, graph } = model.signature(signature)
    const rows = answers.map(({ instance }) => featuresOf(instance, inputs))
    this.name = `signature "${signature}"`
    this.model = model
    this.signature = signature
    this.tolerance = tolerance
    this.at = answers.map(({ at }) => at)
    this.places = inputs.map((port, i) => ({ port, rows, sizes: tableSizes(graph, i) }))
    this.maker = new Maker(rows)
    this.expected = scaled(answers.map(({ prediction, at }) => expectedOf(prediction, outputs, at)))
  }

  content(declarations: Declarations, rows: readonly number[]): string {
    return contentOf(this.maker, this.places, declarations, rows)
  }

  judge(declarations: Declarations, rows: readonly number[]): Judgement {
    const inputs = inputsOf(this.maker, this.places, declarations, rows)
    const outcomes = inBatches(
      rows,
      inputs,
      (batch, count, at) => {
        const answer = this.model.evaluate(this.signature, batch)
        return Array.from({ length: count }, (_, i) => {
          const expected = this.expected[rows[at + i]]
          const got = new Map(expected.map(({ output }) => [output, rowOf(answer[output], i, count)]))
          return outcomeOf(expected, got, this.tolerance)
        })
      },
      refused,
    )
    return { outcomes }
  }

  fingerprint(declarations: Declarations, _row: number, features: Members): string {
    const inputs = inputsOf(new Maker([features]), this.places, declarations, [0])
    const result = inBatches(
      [0],
      inputs,
      (batch) => {
        const answer = this.model.evaluate(this.signature, batch)
        return [
          Object.values(answer)
            .map((t) => rowOf(t, 0, 1).map(rounded).join())
            .join(';'),
        ]
      },
      (error) => `refused: ${error.message}`,
    )
    return result[0]
  }
}

/** A value without the digits in which the same sum in another order differs. */
export const rounded = (value: Json): string => (typeof value === 'number' ? value.toPrecision(3) : String(value))

/** Declared inputs, a list of rows each; an error stands where a row cannot be made. */
type Made = ReadonlyMap<string, readonly (Nested | Error)[]>

/** The inputs of `places` for some rows; an input with a default that no row has is left out. */
export function inputsOf(
  maker: Maker,
  places: readonly Place[],
  declarations: Declarations,
  rows: readonly number[],
): Made {
  const made = new Map<string, readonly (Nested | Error)[]>()
  for (const { port, rows: features } of places) {
    const declared = declarations[port.name] ?? null
    if (declared === null && port.fallback !== undefined && !features.some((row) => Object.hasOwn(row, port.name)))
      continue
    made.set(port.name, maker.make(port, declared, rows))
  }
  return made
}

export const contentOf = (
  maker: Maker,
  places: readonly Place[],
  declarations: Declarations,
  rows: readonly number[],
): string =>
  JSON.stringify([...inputsOf(maker, places, declarations, rows).values()], (_, value: unknown) =>
    value instanceof Error
      ? `!${value.message}`
      : value instanceof Uint8Array
        ? `b${value}`
        : typeof value === 'bigint'
          ? `i${value}`
          : value,
  )

/** Asks for all rows at once; where that is refused, for each alone, so that one bad row spoils no other. */
export function inBatches<T>(
  rows: readonly number[],
  inputs: Made,
  ask: (batch: Features, count: number, at: number) => readonly T[],
  refusal: (error: Error) => T,
): T[] {
  const names = [...inputs.keys()]
  const batch = (from: number, to: number): Features | Error => {
    const columns = names.map((name) => [name, (inputs.get(name) ?? []).slice(from, to)] as const)
    const bad = columns.flatMap(([, values]) => values).find((value) => value instanceof Error)
    return bad instanceof Error ? bad : (Object.fromEntries(columns) as Features)
  }
  const answer = (from: number, to: number): readonly T[] | Error => {
    const features = batch(from, to)
    return features instanceof Error ? features : attempt(() => ask(features, to - from, from))
  }
  const all = answer(0, rows.length)
  if (!(all instanceof Error)) return [...all]
  if (rows.length === 1) return [refusal(all)]
  return rows.map((_, i) => {
    const one = answer(i, i + 1)
    return one instanceof Error ? refusal(one) : one[0]
  })
}

/** An instance's raw features: Vertex's JSON in `data` opened, a bare value the only input's. */
export function featuresOf(instance: Json, inputs: readonly Port[]): Members {
  if (isMembers(instance) && !isBytes(instance)) {
    return openInstance(
      instance,
      inputs.map(({ name }) => name),
    ).features
  }
  if (inputs.length !== 1) throw new TypeError('an instance must be an object that names its features')
  return { [inputs[0].name]: instance }
}

/** Members of a prediction that say which instance it is of. */
const NAMES = new Set(['key', 'id'])

function expectedOf(prediction: Json, outputs: readonly Port[], at: string): Omit<Expected, 'scale'>[] {
  const names = outputs.map(({ name }) => name)
  if (isMembers(prediction) && !isBytes(prediction)) {
    const named = names.filter((name) => Object.hasOwn(prediction, name))
    if (named.length > 0) return named.map((output) => ({ output, values: flat(prediction[output]) }))
    const others = Object.entries(prediction).filter(([name]) => !NAMES.has(name))
    if (others.length === 1) return expectedOf(others[0][1], outputs, at)
    throw new TypeError(
      `${at}: the prediction has ${others.map(([name]) => `"${name}"`).join(', ')}, the outputs are ${names.map((name) => `"${name}"`).join(', ')}`,
    )
  }
  const values = flat(prediction)
  const fitting =
    outputs.length === 1
      ? outputs
      : outputs.filter(({ dtype, shape }) => dtype === 'float32' && shape?.length === 2 && shape[1] === values.length)
  if (fitting.length !== 1)
    throw new TypeError(
      `${at}: the prediction does not say which of the outputs ${names.map((name) => `"${name}"`).join(', ')} it is`,
    )
  return [{ output: fitting[0].name, values }]
}

function scaled(all: readonly (readonly Omit<Expected, 'scale'>[])[]): Expected[][] {
  const values = new Map<string, Json[]>()
  for (const { output, values: own } of all.flat()) {
    const known = values.get(output) ?? []
    values.set(output, known)
    for (const value of own) known.push(value)
  }
  const scales = new Map([...values].map(([output, own]) => [output, sizeOfNumbers(own)]))
  return all.map((row) => row.map((one) => ({ ...one, scale: scales.get(one.output) ?? 1 })))
}
