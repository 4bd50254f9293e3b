import type { Features } from '../engine/inputs.ts'
import type { Port } from '../graph/index.ts'
import type { Json } from '../json/parse.ts'
import { exampleOf } from '../serve/example.ts'
import { columnsOf, type Row } from '../serve/rows.ts'
import { nested } from '../serve/values.ts'
import type { ExampleFeature } from './examples.ts'
import { type Hint, NO_HINT } from './hints.ts'

/** Numbers of [0, 1) that are the same in every run: xorshift, 32 bits. */
function* random(): Generator<number, never> {
  for (let state = 0x9e3779b9 | 0; ; ) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    yield (state >>> 0) / 2 ** 32
  }
}

/** Words of a text, and elements of a dimension that the caller chooses. */
const [WORDS, LENGTH] = [8, 8]

/**
 * Rows of features that a model takes: words and ids that its tables know, numbers of [0, 1), else words made up. What is
 * made is the same each time.
 * @param hints one a feature
 */
export function madeRows(features: readonly Port[], hints: readonly Hint[], count: number): Row[] {
  const numbers = random()
  const below = (end: number) => Math.floor(numbers.next().value * end)
  return Array.from({ length: count }, () =>
    Object.fromEntries(features.map((port, i) => [port.name, valueFor(port, hints[i], below)])),
  )
}

type Below = (end: number) => number

function valueFor(port: Port, hint: Hint, below: Below): Json {
  if (hint.length !== null) return Array.from({ length: hint.length }, () => element('float32', hint, below))
  const dims = (port.shape ?? []).slice(1).map((dim) => dim ?? LENGTH)
  const build = (axis: number): Json =>
    axis === dims.length ? element(port.dtype, hint, below) : Array.from({ length: dims[axis] }, () => build(axis + 1))
  return build(0)
}

function element(dtype: Port['dtype'], hint: Hint, below: Below): Json {
  const { known, text, numeric, example } = hint
  // Seven digits, and never a whole number: what a row of a file would have.
  const fraction = () => (2 * below(1e6) + 1) / 2e6
  const word = (): string => (known.length === 0 ? `word${below(1000)}` : String(known[below(known.length)]))
  switch (dtype) {
    case 'string':
      if (example !== null) return exampleText(example, below)
      if (numeric) return String(fraction())
      return text ? Array.from({ length: WORDS }, word).join(' ') : word()
    case 'bool':
      return below(2) === 1
    case 'float32':
    case 'float64':
    case 'float16':
    case 'bfloat16':
      return fraction()
    default:
      if (known.length > 0 && typeof known[0] !== 'string') return known[below(known.length)]
      return below(Math.min(hint.below ?? 100, 100))
  }
}

/** A tf.Example, as JSON writes bytes. Of ids in it nothing is known, so they are small. */
function exampleText(asked: readonly ExampleFeature[], below: Below): Json {
  const features = asked.map(({ name, dtype, length }): [string, Json] => [
    name,
    // A bigint is an integer there, a number a float.
    Array.from({ length }, () => (dtype === 'int64' ? BigInt(below(10)) : element(dtype, NO_HINT, below))),
  ])
  return { b64: btoa(String.fromCharCode(...exampleOf(Object.fromEntries(features)))) }
}

/** As many rows as a signature takes that says it; null where the caller chooses. */
export function fixedBatch(features: readonly Port[]): number | null {
  const fixed = features.flatMap(({ shape }) => (shape === null || shape.length === 0 ? [] : [shape[0]]))
  return fixed.find((dim) => dim !== null) ?? null
}

/**
 * The features of `count` rows from `start` on, the rows again and again; of a feature that is one value for all, the first
 * row's.
 */
export function batchOf(rows: readonly Row[], features: readonly Port[], count: number, start = 0): Features {
  const batch = Array.from({ length: count }, (_, i) => rows[(start + i) % rows.length])
  const [whole, each] = [features.filter(isWhole), features.filter((port) => !isWhole(port))]
  const scalars = whole.flatMap(({ name }) =>
    Object.hasOwn(batch[0], name) ? [[name, nested(batch[0][name], name)]] : [],
  )
  return { ...columnsOf(batch, each), ...Object.fromEntries(scalars) }
}

/** Different batches that are taken in turns at most: one row may take longer than another. */
const BATCHES = 16

/** Batches of `count` rows, until the rows have all been in one, or there are enough. */
export const batchesOf = (rows: readonly Row[], features: readonly Port[], count: number): Features[] =>
  Array.from({ length: Math.min(BATCHES, Math.ceil(rows.length / count)) }, (_, i) =>
    batchOf(rows, features, count, i * count),
  )

const isWhole = ({ shape }: Port): boolean => shape?.length === 0

/** True where a row has every feature that has no default, and one at least. */
export function fits(row: Row, features: readonly Port[]): boolean {
  const has = ({ name }: Port) => Object.hasOwn(row, name)
  return features.every((port) => has(port) || port.fallback !== undefined) && features.some(has)
}
