import { InvalidArgumentError } from '../../errors.ts'
import { type DType, Strings, sizeOf, type Tensor } from '../../tensor/index.ts'
import type { Column } from './column.ts'
import { show, typeName, type Wanted } from './request.ts'
import { int64, splitsTensor, stringsOf } from './tensors.ts'
import { type Feature, kindOf, readRows, readSequence } from './wire.ts'

// tf.SequenceExample to tensors, after FastParseSequenceExample in core/util/example_proto_fast_parsing.cc. A context
// feature is as one of tf.Example; a feature list has a row a time step.

/** A feature with one shape: of the whole (context), or of each row (feature list). */
export interface Dense extends Wanted {
  readonly shape: readonly number[]
  /** What stands in for a context feature that is absent; empty where there is nothing. */
  readonly fallback: Tensor
  /** An absent list counts as one without rows. */
  readonly mayMiss: boolean
}

interface Ragged extends Wanted {
  readonly splits: DType
}

/** What a node asks of contexts, or of feature lists. */
export interface Request {
  readonly sparse: readonly Wanted[]
  readonly dense: readonly Dense[]
  readonly ragged: readonly Ragged[]
}

/** One feature over the batch: an entry an example, null where it is absent. */
type Entries = readonly (Feature | null)[]

/** The examples of a call, and what they are called in errors. */
export interface Batch {
  readonly context: ReadonlyMap<string, Entries>
  readonly lists: ReadonlyMap<string, Entries>
  readonly size: number
  readonly scalar: boolean
  readonly nameOf: (example: number) => string
}

/** What fills up the rows of a dense list. */
const ZEROS: Readonly<Record<Column['dtype'], Tensor>> = {
  float32: { dtype: 'float32', shape: [], data: new Float32Array(1) },
  int64: { dtype: 'int64', shape: [], data: new BigInt64Array(1) },
  string: { dtype: 'string', shape: [], data: Strings.from(['']) },
}

export function readBatch(serialized: Tensor, names: Strings): Batch {
  const examples = stringsOf(serialized, 'serialized')
  const called = (i: number) => (names.length > 0 ? names.text(i) : '<unknown>')
  const context = new Map<string, (Feature | null)[]>()
  const lists = new Map<string, (Feature | null)[]>()
  for (let i = 0; i < examples.length; i++) {
    const entries = readSequence(examples.at(i))
    if (entries === null) {
      throw new InvalidArgumentError(`Invalid protocol message input, example id: ${called(i)}`)
    }
    // The last entry of a name overwrites those before it.
    for (const [into, features] of [
      [context, entries.context],
      [lists, entries.lists],
    ] as const) {
      for (const feature of features) {
        const all = into.get(feature.name) ?? new Array<Feature | null>(examples.length).fill(null)
        all[i] = feature
        into.set(feature.name, all)
      }
    }
  }
  return { context, lists, size: examples.length, scalar: serialized.shape.length === 0, nameOf: called }
}

const entriesOf = (features: ReadonlyMap<string, Entries>, { name }: Wanted, size: number): Entries =>
  features.get(name) ?? new Array<null>(size).fill(null)

/** Adds what `feature` holds to the column of `want`; what an empty feature holds is nothing. */
function add({ column }: Wanted, feature: Feature, place: string): number {
  const before = column.length
  const kind = kindOf(feature)
  if (kind === null) return 0
  if (kind !== column.dtype || !column.read(feature)) {
    throw new InvalidArgumentError(`${place}.  Data types don't match. Expected type: ${typeName(column.dtype)}`)
  }
  return column.length - before
}

/** Outputs in the order of the OpDef: indices, values and shapes of the sparse, then the dense, then the ragged. */
export function contextOutputs({ sparse, dense, ragged }: Request, batch: Batch): Tensor[] {
  const lead = batch.scalar ? [] : [batch.size]
  for (const want of [...dense, ...sparse, ...ragged]) {
    entriesOf(batch.context, want, batch.size).forEach((feature, i) => {
      const place = `Name: ${batch.nameOf(i)}, Context feature: ${want.name}`
      let added = feature === null ? 0 : add(want, feature, place)
      if (want.kind === 'dense') {
        const { shape, fallback, column } = want as Dense
        if (feature === null && fallback.data.length === 0) {
          throw new InvalidArgumentError(
            `Feature: ${want.name} (data type: ${typeName(column.dtype)}) is required but could not be found.`,
          )
        }
        if (feature === null) {
          column.copy(fallback)
          added = fallback.data.length
        }
        if (added !== sizeOf(shape)) {
          throw new InvalidArgumentError(
            `${place}: expected ${sizeOf(shape)} values for the shape ${show(shape)}, but found ${added}`,
          )
        }
      }
      want.column.ends.push(want.column.length)
    })
  }
  for (const { name, shape, fallback } of dense) {
    // So TensorFlow refuses an empty batch too, where there is no default to tell the length by.
    if (batch.size === 0 && fallback.data.length !== sizeOf(shape)) {
      throw new InvalidArgumentError(
        `Inconsistent max number of elements for feature ${name}: expected ${sizeOf(shape)}, but found ${fallback.data.length}`,
      )
    }
  }
  const ends = ({ column }: Wanted) => [0, ...column.ends]
  return [
    ...sparse.map((want) => indices(batch, [ends(want)], want.column.length)),
    ...sparse.map(({ column }) => column.tensor([column.length])),
    ...sparse.map(({ column }) => vector([...lead, column.longest()])),
    ...dense.map(({ column, shape }) => column.tensor([...lead, ...shape])),
    ...ragged.map(({ column }) => column.tensor([column.length])),
    ...ragged.map((want) => outerSplits(want, ends(want), batch)),
  ]
}

/** Of a single example TensorFlow leaves one number there, which it never sets. */
const outerSplits = ({ splits }: Ragged, ends: readonly number[], { scalar }: Batch): Tensor =>
  scalar ? ({ ...splitsTensor(splits, [0]), shape: [] } as Tensor) : splitsTensor(splits, ends)

const vector = (values: readonly number[]): Tensor => int64([values.length], BigInt64Array.from(values, BigInt))

/** Where each of `count` values lies: its example unless there is one only, then its place at each level of `splits`. */
function indices({ scalar }: Batch, levels: readonly (readonly number[])[], count: number): Tensor {
  const rank = levels.length + 1
  const width = scalar ? rank - 1 : rank
  const out = new BigInt64Array(count * width)
  let at = 0
  const walk = (level: number, from: number, to: number, path: readonly number[]) => {
    for (let i = from; i < to; i++) {
      const here = [...path, i - from]
      if (level < levels.length) walk(level + 1, levels[level][i], levels[level][i + 1], here)
      else for (const place of scalar ? here.slice(1) : here) out[at++] = BigInt(place)
    }
  }
  walk(0, 0, levels[0].length - 1, [])
  return int64([count, width], out)
}

const longest = (splits: readonly number[]): number =>
  splits.reduce((most, end, i) => (i === 0 ? 0 : Math.max(most, end - splits[i - 1])), 0)

export function listOutputs({ sparse, dense, ragged }: Request, batch: Batch, withLengths: boolean): Tensor[] {
  const lead = batch.scalar ? [] : [batch.size]
  // How many rows there are up to each example. The column says where a row's values end, of a dense list an example's.
  const outer = new Map<Wanted, number[]>()
  for (const want of [...dense, ...sparse, ...ragged]) {
    const { name, column } = want
    const rows = [0]
    entriesOf(batch.lists, want, batch.size).forEach((list, i) => {
      const called = batch.nameOf(i)
      if (list === null && want.kind === 'dense' && !(want as Dense).mayMiss) {
        throw new InvalidArgumentError(
          `Name: ${called}, Feature list '${name}' is required but could not be found.  Did you mean to include it in ` +
            'feature_list_dense_missing_assumed_empty or feature_list_dense_defaults?',
        )
      }
      const features = list === null ? [] : readRows(list)
      if (features === null) throw new InvalidArgumentError(`Error in sequence feature ${name} in example ${called}`)
      features.forEach((feature, row) => {
        const added = add(want, feature, `Name: ${called}, Feature list: ${name}, Index: ${row}`)
        if (want.kind === 'dense' && added !== sizeOf((want as Dense).shape)) {
          throw new InvalidArgumentError(
            `Name: ${called}, Key: ${name}, Index: ${row}.  Number of values != expected.  values size: ${added} but ` +
              `output shape: ${show((want as Dense).shape)}`,
          )
        }
        if (want.kind !== 'dense') column.ends.push(column.length)
      })
      if (want.kind === 'dense') column.ends.push(column.length)
      rows.push(rows[i] + features.length)
    })
    outer.set(want, rows)
  }
  const rowsOf = (want: Wanted) => outer.get(want) as number[]
  const inner = ({ column }: Wanted) => [0, ...column.ends]
  return [
    ...sparse.map((want) => indices(batch, [rowsOf(want), inner(want)], want.column.length)),
    ...sparse.map(({ column }) => column.tensor([column.length])),
    ...sparse.map((want) => vector([...lead, longest(rowsOf(want)), want.column.longest()])),
    ...dense.map((want): Tensor => {
      const { column, shape } = want
      return { ...column.padded(shape, ZEROS[column.dtype]), shape: [...lead, longest(rowsOf(want)), ...shape] }
    }),
    ...(withLengths ? dense.map((want) => lengths(rowsOf(want), lead)) : []),
    ...ragged.map(({ column }) => column.tensor([column.length])),
    ...ragged.map((want) => outerSplits(want, rowsOf(want), batch)),
    ...ragged.map((want) => splitsTensor(want.splits, inner(want))),
  ]
}

function lengths(rows: readonly number[], lead: readonly number[]): Tensor {
  const counts = rows.slice(1).map((end, i) => end - rows[i])
  return int64(lead, BigInt64Array.from(counts, BigInt))
}
