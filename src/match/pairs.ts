import type { Features, Model, PublicTensor } from '../engine/model.ts'
import type { Similarity } from '../graph/index.ts'
import type { Members } from '../serve/values.ts'
import { type Expected, refused, sizeOfNumbers } from './compare.ts'
import { Maker } from './make.ts'
import type { Declarations } from './plan.ts'
import type { RecordedScore } from './recording.ts'
import { trySimilarities } from './similarity.ts'
import { tableSizes } from './sizes.ts'
import {
  contentOf,
  featuresOf,
  inBatches,
  inputsOf,
  type Judgement,
  type Place,
  rounded,
  type Subject,
} from './subject.ts'

const SIDES = ['query', 'candidate'] as const
type Side = (typeof SIDES)[number]

/** Embeddings of more pipelines than these are not kept. */
const MOST_KEPT = 64

/** Two towers with recorded scores of pairs: what is between the embeddings and the score is to be found too. */
export class PairSubject implements Subject {
  readonly name = 'the query and the candidate tower'
  readonly places: readonly Place[]
  readonly at: readonly string[]
  private readonly model: Model
  private readonly sides: Readonly<Record<Side, { readonly places: readonly Place[]; readonly maker: Maker }>>
  private readonly expected: readonly Expected[]
  private readonly known: Similarity | null
  private readonly tolerance: number
  /** Embeddings by what they were made of: most tries change one side. */
  private readonly embedded = new Map<string, readonly (Float32Array | Error)[]>()

  /** @throws {RangeError} where the model lacks a tower */
  constructor(model: Model, scores: readonly RecordedScore[], tolerance: number) {
    const sideOf = (side: Side) => {
      const { inputs } = model[side]
      const rows = scores.map((pair) => featuresOf(pair[side], inputs))
      const graph = model.structure[side]?.graph
      const sizes = (i: number) => (graph === undefined ? [] : tableSizes(graph, i))
      return { places: inputs.map((port, i) => ({ port, rows, sizes: sizes(i) })), maker: new Maker(rows) }
    }
    this.model = model
    this.sides = { query: sideOf('query'), candidate: sideOf('candidate') }
    this.places = SIDES.flatMap((side) => this.sides[side].places)
    this.at = scores.map(({ at }) => at)
    this.known = model.structure.similarity
    this.tolerance = tolerance
    const all = scores.map(({ score }) => score)
    const mean = all.reduce((sum, score) => sum + score, 0) / all.length
    const scale = sizeOfNumbers(all.map((score) => score - mean))
    this.expected = all.map((score) => ({ output: 'score', values: [score], scale }))
  }

  content(declarations: Declarations, rows: readonly number[]): string {
    return SIDES.map((side) => contentOf(this.sides[side].maker, this.sides[side].places, declarations, rows)).join('|')
  }

  judge(declarations: Declarations, rows: readonly number[]): Judgement {
    const [query, candidate] = SIDES.map((side) => this.embeddings(side, declarations, rows))
    const whole = rows.map((_, i) => i).filter((i) => !(query[i] instanceof Error || candidate[i] instanceof Error))
    const packed = (all: readonly (Float32Array | Error)[]): Float32Array =>
      Float32Array.from(whole.flatMap((i) => Array.from(all[i] as Float32Array)))
    const width = whole.length === 0 ? 0 : (query[whole[0]] as Float32Array).length
    const wrong = whole.find((i) => (candidate[i] as Float32Array).length !== width)
    if (wrong !== undefined) {
      const error = new RangeError(`query embeddings have ${width} dimensions, candidate embeddings others`)
      return { outcomes: rows.map(() => refused(error)), similarities: [] }
    }
    const expected = whole.map((i) => this.expected[rows[i]])
    const similarities = trySimilarities(packed(query), packed(candidate), width, expected, this.known, this.tolerance)
    const best = similarities[0]?.outcomes ?? []
    let next = 0
    const outcomes = rows.map((_, i) => {
      const error = [query[i], candidate[i]].find((made) => made instanceof Error)
      return error === undefined ? best[next++] : refused(error)
    })
    return { outcomes, similarities }
  }

  fingerprint(declarations: Declarations, row: number, features: Members): string {
    return SIDES.map((side) => {
      const own = this.sides[side].places
      const raw = own.some(({ rows }) => Object.keys(rows[row]).some((name) => Object.hasOwn(features, name)))
      const maker = new Maker([raw ? { ...own[0]?.rows[row], ...features } : (own[0]?.rows[row] ?? {})])
      const inputs = inputsOf(maker, own, declarations, [0])
      return inBatches(
        [0],
        inputs,
        (batch) => [Array.from((this.model[side].embed(batch) as PublicTensor).data as Float32Array, rounded).join()],
        (error) => `refused: ${error.message}`,
      )[0]
    }).join(';')
  }

  private embeddings(
    side: Side,
    declarations: Declarations,
    rows: readonly number[],
  ): readonly (Float32Array | Error)[] {
    const { maker, places } = this.sides[side]
    const key = `${side} ${rows.length} ${contentOf(maker, places, declarations, rows)}`
    const known = this.embedded.get(key)
    if (known !== undefined) return known
    const made = inBatches<Float32Array | Error>(
      rows,
      inputsOf(maker, places, declarations, rows),
      (batch, count) => {
        const { data } = floats(this.model, side, batch)
        const width = data.length / count
        return Array.from({ length: count }, (_, i) => data.slice(i * width, (i + 1) * width))
      },
      (error) => error,
    )
    if (this.embedded.size >= MOST_KEPT) this.embedded.clear()
    this.embedded.set(key, made)
    return made
  }
}

function floats(model: Model, side: Side, batch: Features): { readonly data: Float32Array } {
  const { data, dtype } = model[side].embed(batch)
  if (!(data instanceof Float32Array)) throw new TypeError(`the ${side} tower gives ${dtype}, not float32`)
  return { data }
}
