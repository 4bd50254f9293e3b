import { InvalidArgumentError } from '../errors.ts'
import { type Call, handle, type Op } from '../graph/index.ts'
import { type Tensor, tensor } from '../tensor/index.ts'
import { integer } from './integers.ts'
import { reshaped } from './layout.ts'
import { concatenate } from './slices.ts'
import { cut } from './splits.ts'

// tf.data in a graph that serves (core/kernels/data/*_dataset_op.cc): the candidates that tfrs' Streaming layer holds, and
// what it makes of them batch by batch. A dataset is read from its start each time; nothing of it is kept.

/** One element of a dataset: its components, flat. */
type Element = readonly Tensor[]

/** The payload of a dataset's variant tensor. */
class Dataset {
  readonly elements: () => Iterable<Element>

  constructor(elements: () => Iterable<Element>) {
    this.elements = elements
  }
}

/** An op whose output is a dataset of the elements that `elements` gives out. */
const makes = (elements: (call: Call) => Iterable<Element>): Op => ({
  stateful: true,
  evaluate: (call) => ({ dtype: 'variant', shape: [], data: [new Dataset(() => elements(call))] }),
})

function datasetOf({ inputs }: Call, i = 0): Iterable<Element> {
  const handle = inputs[i]
  const held = handle.dtype === 'variant' && handle.shape.length === 0 ? handle.data[0] : undefined
  if (!(held instanceof Dataset)) throw new InvalidArgumentError(`input ${i} must be a scalar that holds a dataset`)
  return held.elements()
}

/** The rows of `x`, without its first dimension. */
function rowsOf(x: Tensor): Tensor[] {
  if (x.shape.length === 0) throw new InvalidArgumentError('a dataset of slices wants at least vectors, got a scalar')
  return cut(x, 0, new Array<number>(x.shape[0]).fill(1)).map((row) => reshaped(row, x.shape.slice(1)))
}

function stacked(elements: readonly Element[]): Element {
  return elements[0].map((_, i) =>
    concatenate(
      elements.map((element) => reshaped(element[i], [1, ...element[i].shape])),
      0,
    ),
  )
}

/** The dataset that is another with nothing changed that an answer shows: how it is to be read ahead, or kept. */
const same = makes((call) => datasetOf(call))

const slices = makes(({ inputs }) => {
  const components = inputs.map(rowsOf)
  if (components.some((rows) => rows.length !== components[0].length)) {
    throw new InvalidArgumentError(
      `all components must have the same number of slices, got ${components.map((rows) => rows.length)}`,
    )
  }
  return components[0].map((_, i) => components.map((rows) => rows[i]))
})

const range = makes(function* (call) {
  const [start, stop, step] = [integer(call, 0, 'start'), integer(call, 1, 'stop'), integer(call, 2, 'step')]
  if (step === 0) throw new InvalidArgumentError('step must be a non-zero integer.')
  for (let value = start; step > 0 ? value < stop : value > stop; value += step)
    yield [tensor('int64', [], BigInt64Array.of(BigInt(value)))]
})

const map = makes(function* (call) {
  const f = call.attrs.graph('f')
  const others = call.inputs.slice(1, 1 + call.attrs.dtypes('Targuments', []).length)
  for (const element of datasetOf(call)) yield call.run(f, [...element, ...others])
})

const filter = makes(function* (call) {
  const predicate = call.attrs.graph('predicate')
  for (const element of datasetOf(call)) {
    const [kept] = call.run(predicate, [...element, ...call.inputs.slice(1)])
    if (kept.dtype !== 'bool' || kept.shape.length > 0)
      throw new InvalidArgumentError(`a filter's predicate must answer a scalar bool, got ${kept.dtype}[${kept.shape}]`)
    if (kept.data[0] !== 0) yield element
  }
})

const batch = makes(function* (call) {
  const size = integer(call, 1, 'batch_size')
  if (size <= 0) throw new InvalidArgumentError('Batch size must be greater than zero.')
  const drop = call.inputs[2]
  if (drop.dtype !== 'bool') throw new TypeError(`drop_remainder must be bool, got ${drop.dtype}`)
  let held: Element[] = []
  for (const element of datasetOf(call)) {
    held.push(element)
    if (held.length < size) continue
    yield stacked(held)
    held = []
  }
  if (held.length > 0 && drop.data[0] === 0) yield stacked(held)
})

const unbatch = makes(function* (call) {
  for (const element of datasetOf(call)) {
    const components = element.map(rowsOf)
    for (let i = 0; i < components[0].length; i++) yield components.map((rows) => rows[i])
  }
})

/** As many as `count` says; all of them where it is -1. */
const first = makes(function* (call) {
  const count = integer(call, 1, 'count')
  let taken = 0
  if (count === 0) return
  for (const element of datasetOf(call)) {
    yield element
    taken++
    if (taken === count) return
  }
})

/** Those after the first `count`; none where it is -1. */
const skip = makes(function* (call) {
  const count = integer(call, 1, 'count')
  let at = 0
  if (count < 0) return
  for (const element of datasetOf(call)) if (at++ >= count) yield element
})

const zip = makes(function* (call) {
  const readers = call.inputs.map((_, i) => datasetOf(call, i)[Symbol.iterator]())
  for (;;) {
    const parts = readers.map((reader) => reader.next())
    if (parts.length === 0 || parts.some(({ done }) => done)) return
    yield parts.flatMap(({ value }) => value as Element)
  }
})

const concatenated = makes(function* (call) {
  yield* datasetOf(call, 0)
  yield* datasetOf(call, 1)
})

/** The state after `f` has taken each element in turn. */
const reduce: Op = {
  outputs: (attrs) => [['components', attrs.dtypes('Tstate').length]],
  stateful: true,
  evaluate(call) {
    const f = call.attrs.graph('f')
    const size = call.attrs.dtypes('Tstate').length
    const others = call.inputs.slice(1 + size)
    let state: readonly Tensor[] = call.inputs.slice(1, 1 + size)
    for (const element of datasetOf(call)) state = call.run(f, [...state, ...element, ...others])
    return state
  },
}

/** The components of the only element. */
const single: Op = {
  outputs: (attrs) => [['components', attrs.dtypes('output_types').length]],
  stateful: true,
  evaluate(call) {
    const [element, ...more] = datasetOf(call)
    if (element === undefined) throw new InvalidArgumentError('Dataset was empty.')
    if (more.length > 0) throw new InvalidArgumentError('Dataset had more than one element.')
    return element
  },
}

/** What `Dataset.cache` names as the place where it keeps elements; they are read anew each time. */
const noCache: Op = {
  stateful: true,
  evaluate: ({ node }) => handle({ kind: 'variable', name: node.name, dtype: 'variant', value: null }),
}

export const ops: Readonly<Record<string, Op>> = {
  TensorDataset: makes(({ inputs }) => [inputs]),
  TensorSliceDataset: slices,
  RangeDataset: range,
  MapDataset: map,
  ParallelMapDataset: map,
  ParallelMapDatasetV2: map,
  FilterDataset: filter,
  BatchDatasetV2: batch,
  UnbatchDataset: unbatch,
  TakeDataset: first,
  SkipDataset: skip,
  ZipDataset: zip,
  ConcatenateDataset: concatenated,
  PrefetchDataset: same,
  CacheDataset: same,
  CacheDatasetV2: same,
  DummyMemoryCache: noCache,
  OptionsDataset: same,
  ModelDataset: same,
  DatasetToSingleElement: single,
  ReduceDataset: reduce,
}
