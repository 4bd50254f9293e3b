import type { Attrs, Call, Graph, Node, Op, OpTable } from '../graph/index.ts'
import { broadcastIndices, broadcastShape, broadcasts } from '../ops/broadcast.ts'
import { isNumeric, sizeOf, type Tensor, type TensorOf, type TypedArray, zeros } from '../tensor/index.ts'
import { concatenated } from './concat.ts'
import { ACTIVATIONS, COMBINERS, type Kernels, type Pointer } from './kernels.ts'
import type { Memory } from './memory.ts'
import { pooledRows } from './pooling.ts'

type Floats = TensorOf<'float32'>

/** Puts a kernel in place of an op: `run` gives null for what is the reference's. */
export type Place = (
  name: string,
  run: (call: Call, reference: Op['evaluate']) => ReturnType<Op['evaluate']> | null,
) => void

/** Places the kernels of some ops, and makes ready what they need of the graphs to be run. */
export type Bind = (place: Place, memory: Memory, kernels: Kernels, smallest: number, graphs: readonly Graph[]) => void

/** Below this many elements a call into wasm and the copies cost more than a loop here. */
const SMALLEST = 32

/**
 * `reference` with kernels in place of the ops that have one. An entry runs its kernel on float32 tensors that the
 * kernel's layout fits, and the reference on everything else, so that what an op means stays in one place.
 * @param smallest elements from which on a kernel is called
 * @param more what binds the kernels of ops that few towers have
 * @param graphs those that will be run
 */
export function withKernels(
  reference: OpTable,
  kernels: Kernels,
  memory: Memory,
  smallest = SMALLEST,
  more: readonly Bind[] = [],
  graphs: readonly Graph[] = [],
): OpTable {
  const table = new Map<string, Op>()
  for (const [name, op] of reference) table.set(name, op.effect ? keeping(op) : op)
  const place: Place = (name, run) => {
    const op = reference.get(name)
    if (op === undefined) return
    const evaluate = (call: Call) => op.evaluate(call)
    table.set(name, { ...op, evaluate: (call) => run(call, evaluate) ?? op.evaluate(call) })
  }
  for (const [name, kernel] of Object.entries(UNARY)) {
    place(name, ({ inputs: [x], attrs }) =>
      unary(x, memory, smallest, (out, at, n) => kernel(kernels, out, at, n, attrs.number('alpha', 0.2))),
    )
  }
  for (const [name, kernel] of Object.entries(BINARY))
    place(name, ({ inputs: [x, y] }) => binary(x, y, memory, smallest, kernels[kernel]))
  for (const name of ['Softmax', 'LogSoftmax'] as const) {
    const kernel = name === 'Softmax' ? kernels.softmax : kernels.logSoftmax
    place(name, ({ inputs: [x] }) => rowwise(x, memory, smallest, (out, at, rows, n) => kernel(out, at, rows, n)))
  }
  place('twotower>L2Normalize', ({ inputs: [x], attrs }) =>
    rowwise(x, memory, smallest, (out, at, rows, n) => kernels.l2Normalize(out, at, rows, n, attrs.number('epsilon'))),
  )
  place('twotower>Dense', denseWith(memory, kernels))
  place('ConcatV2', (call) => concatenated(call, memory, kernels))
  place('twotower>PoolRows', (call) => pooledRows(call, memory, kernels))
  for (const [name, kernel] of [
    ['Max', kernels.maximum],
    ['Min', kernels.minimum],
  ] as const) {
    const each: OverSteps = (out, x, rows, steps, n) => {
      kernels.copyRows(out, x, rows, n, n, steps * n)
      for (let step = 1; step < steps; step++) kernel(out, out, x + 4 * step * n, rows, n, n, 1, steps * n, 1)
      return true
    }
    place(
      name,
      (call) => overLast(call, memory, smallest, kernels[REDUCTIONS[name]]) ?? overSteps(call, memory, smallest, each),
    )
  }
  for (const [name, combiner] of [
    ['Sum', COMBINERS.sum],
    ['Mean', COMBINERS.mean],
  ] as const) {
    const each: OverSteps = (out, x, rows, steps, n) => {
      const ends = memory.address(Int32Array.from({ length: rows + 1 }, (_, i) => i * steps))
      if (ends === null) return false
      kernels.poolRows(out, x, 0, 0, ends, rows, n, rows * steps, combiner, n)
      return true
    }
    place(
      name,
      (call) => overLast(call, memory, smallest, kernels[REDUCTIONS[name]]) ?? overSteps(call, memory, smallest, each),
    )
  }
  for (const name of ['BiasAdd', 'BiasAddV1'])
    place(name, ({ inputs: [x, bias], attrs }) =>
      attrs.string('data_format', 'NHWC') === 'NHWC' && x.shape.length > 1 && `${bias.shape}` === `${x.shape.slice(-1)}`
        ? binary(x, bias, memory, smallest, kernels.add)
        : null,
    )
  place('StringToHashBucketFast', (call) => hashBuckets(call, memory, kernels))
  for (const bind of more) bind(place, memory, kernels, smallest, graphs)
  return table
}

/** An op that changes state keeps its inputs past the run: what lies in the arena or in the caller's arrays is copied first. */
const keeping = (op: Op): Op => ({
  ...op,
  evaluate: (call) => op.evaluate({ ...call, inputs: call.inputs.map(own) }),
})

/** `t` in memory of its own. */
function own(t: Tensor): Tensor {
  return t === undefined || !isNumeric(t) ? t : ({ ...t, data: (t.data as TypedArray).slice() } as Tensor)
}

const UNARY: Readonly<Record<string, (kernels: Kernels, out: Pointer, x: Pointer, n: number, alpha: number) => void>> =
  {
    Relu: (k, out, x, n) => k.relu(out, x, n),
    Relu6: (k, out, x, n) => k.relu6(out, x, n),
    Elu: (k, out, x, n) => k.elu(out, x, n, 1),
    Selu: (k, out, x, n) => k.selu(out, x, n),
    LeakyRelu: (k, out, x, n, alpha) => k.leakyRelu(out, x, n, alpha),
    Softplus: (k, out, x, n) => k.softplus(out, x, n),
    Sigmoid: (k, out, x, n) => k.sigmoid(out, x, n),
    Tanh: (k, out, x, n) => k.tanh(out, x, n),
    Exp: (k, out, x, n) => k.exp(out, x, n),
    Log: (k, out, x, n) => k.log(out, x, n),
    Log1p: (k, out, x, n) => k.log1p(out, x, n),
    Sqrt: (k, out, x, n) => k.sqrt(out, x, n),
    Rsqrt: (k, out, x, n) => k.rsqrt(out, x, n),
    Square: (k, out, x, n) => k.square(out, x, n),
    Neg: (k, out, x, n) => k.neg(out, x, n),
    Abs: (k, out, x, n) => k.abs(out, x, n),
    Erf: (k, out, x, n) => k.erf(out, x, n),
    Reciprocal: (k, out, x, n) => k.reciprocal(out, x, n),
    Floor: (k, out, x, n) => k.floor(out, x, n),
    Ceil: (k, out, x, n) => k.ceil(out, x, n),
    Round: (k, out, x, n) => k.rint(out, x, n),
    Rint: (k, out, x, n) => k.rint(out, x, n),
  }

export const BINARY = {
  Add: 'add',
  AddV2: 'add',
  Sub: 'sub',
  Mul: 'mul',
  Div: 'div',
  DivNoNan: 'divNoNan',
  RealDiv: 'div',
  Maximum: 'maximum',
  Minimum: 'minimum',
  SquaredDifference: 'squaredDifference',
} as const satisfies Readonly<Record<string, keyof Kernels>>

function unary(
  x: Tensor,
  memory: Memory,
  smallest: number,
  run: (out: Pointer, x: Pointer, n: number) => void,
): Tensor | null {
  if (x.dtype !== 'float32' || x.data.length < smallest) return null
  const at = memory.address(x.data)
  const out = memory.room(x.data.length)
  if (at === null || out === null) return null
  run(out.byteOffset, at, x.data.length)
  return { dtype: 'float32', shape: x.shape, data: out }
}

function rowwise(
  x: Tensor,
  memory: Memory,
  smallest: number,
  run: (out: Pointer, x: Pointer, rows: number, n: number) => void,
): Tensor | null {
  if (x.dtype !== 'float32' || x.shape.length === 0) return null
  const n = x.shape[x.shape.length - 1]
  return n === 0 ? null : unary(x, memory, smallest, (out, at, size) => run(out, at, size / n, n))
}

function binary(x: Tensor, y: Tensor, memory: Memory, smallest: number, kernel: Kernels['add']): Tensor | null {
  if (x.dtype !== 'float32' || y.dtype !== 'float32') return null
  const shape = x.shape.length >= y.shape.length && x.data.length >= y.data.length ? x.shape : y.shape
  const size = sizeOf(shape)
  if (size < smallest) return null
  const n = shape[shape.length - 1] ?? 1
  const rows = size / n
  const [a, b] = [operand(x.shape, shape, rows, n), operand(y.shape, shape, rows, n)]
  const repeated = a === null ? repetition(x.shape, shape) : b === null ? repetition(y.shape, shape) : null
  if (repeated === null ? a === null || b === null : (a ?? b)?.row !== n) return byMatrices(x, y, memory, kernel)
  const [at, bt, out] = [memory.address(x.data), memory.address(y.data), memory.room(size)]
  if (at === null || bt === null || out === null) return null
  if (a !== null && b !== null) kernel(out.byteOffset, at, bt, rows, n, a.row, a.step, b.row, b.step)
  else if (repeated !== null) {
    const { blocks, times, length } = repeated
    const [whole, part] = [4 * times * length, 4 * length]
    for (let i = 0, to = out.byteOffset; i < blocks; i++, to += whole) {
      if (b === null) kernel(to, at + i * whole, bt + i * part, times, length, length, 1, 0, 1)
      else kernel(to, at + i * part, bt + i * whole, times, length, 0, 1, length, 1)
    }
  }
  return { dtype: 'float32', shape, data: out }
}

/**
 * Any other broadcast, [32, 20, 1, 16] and [32, 1, 20, 16] as additive attention has them: matrix by matrix, the last two
 * axes, of which the kernel takes each operand.
 */
function byMatrices(x: Floats, y: Floats, memory: Memory, kernel: Kernels['add']): Tensor | null {
  if (!broadcasts(x.shape, y.shape)) return null
  const shape = broadcastShape(x.shape, y.shape)
  const [outer, inner] = [shape.slice(0, -2), shape.slice(-2)]
  const [rows, n] = inner
  const [a, b] = [operand(x.shape.slice(-2), inner, rows, n), operand(y.shape.slice(-2), inner, rows, n)]
  // Of small ones the calls would take longer than the numbers.
  if (outer.length === 0 || rows * n < SMALLEST || a === null || b === null) return null
  const [from, beside] = [broadcastIndices(x.shape.slice(0, -2), outer), broadcastIndices(y.shape.slice(0, -2), outer)]
  const [at, bt, out] = [memory.address(x.data), memory.address(y.data), memory.room(sizeOf(shape))]
  if (at === null || bt === null || out === null) return null
  const [whole, own, other] = [rows * n, sizeOf(x.shape.slice(-2)), sizeOf(y.shape.slice(-2))].map((size) => 4 * size)
  for (let i = 0; i < from.length; i++)
    kernel(
      out.byteOffset + i * whole,
      at + from[i] * own,
      bt + beside[i] * other,
      rows,
      n,
      a.row,
      a.step,
      b.row,
      b.step,
    )
  return { dtype: 'float32', shape, data: out }
}

/**
 * An operand that is one row for each of several blocks, [2, 1, 1, 9] in [2, 4, 5, 9], as a mask of attention is: `blocks`
 * rows of `length`, each for `times` rows of the answer. Null for what is repeated otherwise.
 */
function repetition(
  of: readonly number[],
  shape: readonly number[],
): { readonly blocks: number; readonly times: number; readonly length: number } | null {
  if (of.length > shape.length) return null
  const own = [...new Array<number>(shape.length - of.length).fill(1), ...of]
  let first = 0
  while (first < own.length && own[first] === shape[first]) first++
  let end = own.length
  while (end > first && own[end - 1] === shape[end - 1]) end--
  if (own.slice(first, end).some((dim) => dim !== 1)) return null
  const [blocks, times] = [sizeOf(shape.slice(0, first)), sizeOf(shape.slice(first, end))]
  return { blocks, times, length: sizeOf(shape.slice(end)) }
}

/** How the kernel reads an operand of rows × n: whole, one row for all, a column, or a scalar; null for other broadcasts. */
export function operand(
  of: readonly number[],
  shape: readonly number[],
  rows: number,
  n: number,
): { readonly row: number; readonly step: number } | null {
  // More axes, though of one element: the answer has them too.
  if (of.length > shape.length) return null
  const size = sizeOf(of)
  if (size === 1) return { row: 0, step: 0 }
  const rank = of.length
  const first = shape.length - rank
  if (size === rows * n && of.every((dim, i) => dim === shape[first + i])) return { row: n, step: 1 }
  if (size === n && of[rank - 1] === n) return { row: 0, step: 1 }
  const isColumn =
    rank === shape.length && of[rank - 1] === 1 && of.every((dim, i) => i === rank - 1 || dim === shape[i])
  return isColumn ? { row: 1, step: 0 } : null
}

const REDUCTIONS = {
  Sum: 'rowSum',
  Mean: 'rowMean',
  Max: 'rowMax',
  Min: 'rowMin',
} as const satisfies Readonly<Record<string, keyof Kernels>>

/** The axes of a reduction, ascending; null where they are not the kernels' to take. */
function axesOf({ inputs: [x, axes] }: Call, smallest: number): number[] | null {
  if (x.dtype !== 'float32' || axes.dtype !== 'int32' || x.data.length < smallest) return null
  const rank = x.shape.length
  const all = [...axes.data].map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b)
  // A wrong axis or a doubled one is the reference's to refuse.
  return all.some((axis, i) => !(axis >= 0 && axis < rank) || axis === all[i - 1]) ? null : all
}

/** The shape without the axes, or with ones in their place. */
const without = (shape: readonly number[], axes: readonly number[], attrs: Attrs): number[] =>
  attrs.boolean('keep_dims', false)
    ? shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
    : shape.filter((_, axis) => !axes.includes(axis))

/** Over the last axes, so that what comes together lies together; axes of one element may follow. */
function overLast(call: Call, memory: Memory, smallest: number, kernel: Kernels['rowSum']): Tensor | null {
  const axes = axesOf(call, smallest)
  const x = call.inputs[0] as Floats
  if (axes === null || axes.length === 0) return null
  let end = x.shape.length
  while (x.shape[end - 1] === 1 && axes[axes.length - 1] !== end - 1) end--
  const first = end - axes.length
  if (axes.some((axis, i) => axis !== first + i)) return null
  const rows = sizeOf(x.shape.slice(0, first))
  const [at, out] = [memory.address(x.data), memory.room(rows)]
  if (rows === 0 || at === null || out === null) return null
  kernel(out.byteOffset, at, rows, x.data.length / rows)
  return { dtype: 'float32', shape: without(x.shape, axes, call.attrs), data: out }
}

/** out[rows × n] of x[rows × steps × n]; false where there is no room. */
type OverSteps = (out: Pointer, x: Pointer, rows: number, steps: number, n: number) => boolean

/**
 * Over neighbouring axes that others follow, as the steps of a sequence of vectors or the pixels of an image; axes of one
 * element count for nothing.
 */
function overSteps(call: Call, memory: Memory, smallest: number, each: OverSteps): Tensor | null {
  const axes = axesOf(call, smallest)
  const x = call.inputs[0] as Floats
  if (axes === null || axes.length === 0 || x.data.length === 0) return null
  const long = axes.filter((axis) => x.shape[axis] !== 1)
  const [first = axes[0]] = long
  const end = first + Math.max(1, long.length)
  if (long.some((axis, i) => axis !== first + i)) return null
  const rows = sizeOf(x.shape.slice(0, first))
  const [steps, n] = [sizeOf(x.shape.slice(first, end)), sizeOf(x.shape.slice(end))]
  const [at, out] = [memory.address(x.data), memory.room(rows * n)]
  if (at === null || out === null || !each(out.byteOffset, at, rows, steps, n)) return null
  return { dtype: 'float32', shape: without(x.shape, axes, call.attrs), data: out }
}

export const ACTIVATION_CODES: Readonly<Record<string, number>> = {
  Relu: ACTIVATIONS.relu,
  Relu6: ACTIVATIONS.relu6,
  Sigmoid: ACTIVATIONS.sigmoid,
  Tanh: ACTIVATIONS.tanh,
  Elu: ACTIVATIONS.elu,
  Selu: ACTIVATIONS.selu,
  Softplus: ACTIVATIONS.softplus,
  LeakyRelu: ACTIVATIONS.leakyRelu,
}

/** What a dense layer's node says, read once. Addresses are 0 for no bias, null for what does not stay in memory. */
interface DenseLayer {
  readonly k: number
  readonly n: number
  /** undefined where no kernel has the activation. */
  readonly activation: number | undefined
  readonly alpha: number
  readonly weights: Pointer | null
  readonly bias: Pointer | null
}

function denseLayer({ inputs: [, panels, bias], attrs }: Call, memory: Memory): DenseLayer {
  const activation = attrs.has('activation') ? ACTIVATION_CODES[attrs.string('activation')] : ACTIVATIONS.none
  return {
    k: attrs.number('k'),
    n: attrs.number('n'),
    activation,
    alpha: activation === ACTIVATIONS.elu ? 1 : attrs.number('alpha', 0),
    weights: memory.keptAt((panels as Floats).data),
    bias: bias === undefined ? 0 : memory.keptAt((bias as Floats).data),
  }
}

function denseWith(memory: Memory, kernels: Kernels): (call: Call) => Tensor | null {
  const layers = new WeakMap<Node, DenseLayer>()
  return (call) => {
    const [x, panels, shift] = call.inputs
    if (panels.dtype !== 'float32') return null
    let layer = layers.get(call.node)
    if (layer === undefined) {
      layer = denseLayer(call, memory)
      layers.set(call.node, layer)
    }
    const { k, n, activation, alpha } = layer
    // Wrong shapes are the reference's to refuse.
    if (x.dtype !== 'float32' || x.shape.length !== 2 || x.shape[1] !== k) return null
    const [rows] = x.shape
    if (rows === 0 || activation === undefined) return null
    const weights = layer.weights ?? memory.address(panels.data)
    const bias = layer.bias ?? memory.address((shift as Floats).data)
    const [at, out] = [memory.address(x.data), memory.room(rows * n)]
    if (weights === null || bias === null || at === null || out === null) return null
    kernels.dense(out.byteOffset, at, weights, bias, rows, k, n, activation, alpha)
    return { dtype: 'float32', shape: [rows, n], data: out }
  }
}

function hashBuckets({ inputs: [x], attrs }: Call, memory: Memory, kernels: Kernels): Tensor | null {
  const buckets = attrs.int64('num_buckets')
  if (x.dtype !== 'string' || x.data.length === 0 || buckets < 1n) return null
  const { bytes, offsets, length } = x.data
  const [at, places] = [memory.address(bytes.subarray(offsets[0], offsets[length])), memory.address(offsets)]
  const room = memory.room(2 * length)
  if (at === null || places === null || room === null) return null
  kernels.hashBuckets(room.byteOffset, at, places, length, buckets)
  const data = zeros('int64', length)
  data.set(new BigInt64Array(room.buffer, room.byteOffset, length))
  return { dtype: 'int64', shape: x.shape, data }
}
