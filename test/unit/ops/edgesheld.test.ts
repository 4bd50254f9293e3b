import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { opOf } from '../../../src/import/complex.ts'
import { FAMILIES } from '../../../src/ops/families.ts'
import { goldenFiles, readGolden } from '../../models/goldens.ts'
import { attrsOf, type GoldenTensor, tensorOf } from './goldens.ts'

// Which edges the goldens of each family hold: the strings and numbers that something may trip over, and batches of no row,
// of one, two, five and 33. A family that lacks one says why here.

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url))
const text = new TextDecoder('utf-8', { fatal: true })
const decoded = (bytes: Uint8Array): string | null => {
  try {
    return text.decode(bytes)
  } catch {
    return null
  }
}
const holding = (pattern: RegExp) => (bytes: Uint8Array) => pattern.test(decoded(bytes) ?? '')

const STRINGS: Readonly<Record<string, (bytes: Uint8Array) => boolean>> = {
  empty: ({ length }) => length === 0,
  spaces: holding(/^ +$/),
  'U+00A0': holding(/\u00a0/),
  'U+3000': holding(/\u3000/),
  'a combining accent': holding(/[\u0300-\u036f]/),
  'a joined emoji': holding(/\u200d/),
  'invalid UTF-8': (bytes) => decoded(bytes) === null,
  '10,000 characters': ({ length }) => length >= 10_000,
}
const FLOATS: Readonly<Record<string, (x: number) => boolean>> = {
  NaN: Number.isNaN,
  '∞': (x) => x === Number.POSITIVE_INFINITY,
  '−∞': (x) => x === Number.NEGATIVE_INFINITY,
  '−0': (x) => Object.is(x, -0),
  'a denormal': (x) => x !== 0 && Math.abs(x) < 1.17e-38,
}
const INTEGERS: Readonly<Record<string, (x: bigint) => boolean>> = {
  'the least int64': (x) => x === -(2n ** 63n),
  'the greatest int64': (x) => x === 2n ** 63n - 1n,
}
const ROWS = [0, 1, 2, 5, 33]

/** The edges that `inputs` lack, of the kinds of values that they have. */
function lacking(inputs: readonly GoldenTensor[]): string[] {
  const found = new Set<string>()
  const wanted = new Set<string>(ROWS.map((rows) => `${rows} rows`))
  const look = <T>(edges: Readonly<Record<string, (value: T) => boolean>>, values: Iterable<T>) => {
    for (const name of Object.keys(edges)) wanted.add(name)
    for (const value of values) for (const name in edges) if (!found.has(name) && edges[name](value)) found.add(name)
  }
  for (const input of inputs) {
    if (input.shape.length > 0) found.add(`${input.shape[0]} rows`)
    const tensor = tensorOf(input)
    if (tensor.dtype === 'string')
      look(
        STRINGS,
        Array.from({ length: tensor.data.length }, (_, i) => tensor.data.at(i)),
      )
    else if (/float/.test(tensor.dtype)) look(FLOATS, tensor.data as Float32Array)
    else if (tensor.dtype === 'int64') look(INTEGERS, tensor.data as BigInt64Array)
  }
  return [...wanted].filter((name) => !found.has(name))
}

/** A tensor, the number of one before, or in a chain the output of a step before. */
type Written = GoldenTensor | { readonly same: number } | { readonly of: readonly number[] }
type Step = {
  readonly op: string
  readonly attrs: Readonly<Record<string, unknown>>
  readonly inputs: readonly Written[]
  readonly outputs?: readonly Written[]
}

/** The inputs of every recorded op by its name. */
function recorded(): Map<string, GoldenTensor[]> {
  const found = new Map<string, GoldenTensor[]>()
  const folder = join(fixtures, 'ops')
  for (const file of readdirSync(folder)) {
    const held = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
      cases?: readonly Step[]
      chains?: readonly { readonly steps: readonly Step[] }[]
    }
    const whole: GoldenTensor[] = []
    for (const step of held.cases ?? held.chains?.flatMap(({ steps }) => steps) ?? []) {
      const { inputs, outputs } = step
      const op = opOf(step.op, attrsOf(step))
      const list = found.get(op) ?? []
      found.set(op, list)
      for (const [i, written] of [...inputs, ...(outputs ?? [])].entries()) {
        if ('dtype' in written) whole.push(written)
        if (i >= inputs.length) continue
        if ('dtype' in written) list.push(written)
        else if ('same' in written) list.push(whole[written.same])
      }
    }
  }
  return found
}

const because = (edges: readonly string[], why: string) => Object.fromEntries(edges.map((edge) => [edge, why]))
const LIMITS = Object.keys(INTEGERS)
const EVERY_ROW = ROWS.map((rows) => `${rows} rows`)
const ours = because(
  EVERY_ROW,
  'an op of our own, which TensorFlow has not: its kernel is held against the graph it replaces',
)
const splits = because(
  LIMITS,
  'its int64 are row splits and lengths, and TensorFlow ends the process where they are none',
)
const flushed = because(['a denormal'], 'TensorFlow’s threads take a denormal for zero, JavaScript never does')
const RANDOM = 'its one float is how random a cut is, and random ones are refused'
const sampling = because(Object.keys(FLOATS).slice(1), RANDOM)

/** Strings that no serialized proto is. */
const TEXTS = Object.keys(STRINGS).filter((edge) => edge !== 'empty' && edge !== 'invalid UTF-8')

/** Why a family lacks an edge. */
const UNHELD: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  fused: ours,
  pooling: ours,
  wordIds: ours,
  int8: ours,
  layernorm: ours,
  scann: because(
    EVERY_ROW,
    'an op of a library without a graph of its own: the models tfrs_scann and scann_searches hold it',
  ),
  argmaxpooling: flushed,
  unique: flushed,
  unicode: splits,
  tokenizers: splits,
  codepoints: splits,
  labelling: splits,
  volumes: because(LIMITS, 'its int64 are the sizes of what is answered'),
  phrases: splits,
  fastbert: splits,
  sentencepiece: { ...splits, ...because(['NaN'], RANDOM), ...sampling },
  fastsentencepiece: { ...splits, ...sampling },
  joins: splits,
  recurrentcells: because(
    LIMITS,
    'its int64 is a number of steps, and TensorFlow ends the process where there are fewer',
  ),
  quantized: because(EVERY_ROW, 'NumPy has no quantized types: the model rare_ops holds it'),
  batching: because(EVERY_ROW, 'what it calls is a function: the model rare_ops holds it'),
  sequenceexamples: because(
    ['5 rows', '33 rows', ...TEXTS, ...Object.keys(FLOATS)],
    'its strings are serialized tf.SequenceExamples, whose features hold the edges, and its floats defaults of these',
  ),
}

describe('the goldens hold every edge', () => {
  const inputs = recorded()
  for (const [family, { ops }] of Object.entries(FAMILIES)) {
    const held = Object.keys(ops).flatMap((op) => inputs.get(op) ?? [])
    test(`of the ops of ${family}`, () => {
      expect(lacking(held).join('; ')).toBe(Object.keys(UNHELD[family] ?? {}).join('; '))
    })
  }
})

const EXAMPLES = 'its strings are serialized tf.Examples, whose features hold the edges'
const STATE = 'what is written stays: one NaN is in every answer after it'
const FIXED = 'its rows are fixed, or it takes scalars'
const ORDER = 'the one nearest of what has no order is another in each build of TensorFlow'

/** The SavedModels that are not asked every edge, and why. */
const UNASKED: Readonly<Record<string, string>> = {
  collections_only: 'its tables are filled by a collection that only TF Hub runs',
  control_flow_v1: FIXED,
  estimator: EXAMPLES,
  example_mlp: EXAMPLES,
  example_towers: EXAMPLES,
  examples: EXAMPLES,
  feature_columns: EXAMPLES,
  gradient_descent: STATE,
  if_while: FIXED,
  no_usable_signature: ORDER,
  random_graphs: 'its graphs are drawn with rows and values of their own',
  rare_control_v1: FIXED,
  rare_ops_v1: FIXED,
  rare_tables_v1: STATE,
  rare_updates: STATE,
  rare_updates_v1: STATE,
  recurrent_v1: 'TensorFlow refuses no rows',
  scalar_inputs: FIXED,
  scann_kinds: FIXED,
  scann_searches: FIXED,
  sequence_columns: EXAMPLES,
  text_pipelines: '10,000 characters are as many pieces, too many to keep; its ops are asked them one by one',
}

describe('the goldens of SavedModels hold every edge', () => {
  for (const file of goldenFiles(join(fixtures, 'goldens'))) {
    const name = basename(file, '.json')
    const edges = join(fixtures, 'edges', basename(file))
    const cases = [file, ...(existsSync(edges) ? [edges] : [])].flatMap((path) => readGolden(path).cases)
    test(`of ${name}`, () => {
      // What is refused for its dtype asks for no edges of that.
      const answered = cases.filter(({ error }) => error === undefined)
      const kinds = new Set(answered.flatMap(({ inputs }) => Object.values(inputs).map(({ dtype }) => dtype)))
      const inputs = cases.flatMap((one) => Object.values(one.inputs).filter(({ dtype }) => kinds.has(dtype)))
      if (name in UNASKED) expect(lacking(inputs), 'is there a reason any more?').not.toEqual([])
      else expect(lacking(inputs)).toEqual([])
    })
  }
})
