import { constantOf, type Node } from '../graph/index.ts'
import { sameShape, sizeOf } from '../tensor/index.ts'
import { BINARY } from './binary.ts'
import type { Write } from './loopcode.ts'
import { type Floats, type Frame, type Held, STEP } from './loopframe.ts'
import type { Index } from './looprun.ts'

// What each op of a loop's body writes: the calls of the kernels that run where the op stands alone.

/** In the order of assembly/steps.ts. */
const ZIPS = ['add', 'sub', 'mul', 'div', 'divNoNan', 'maximum', 'minimum', 'squaredDifference']

/** The unary kernels' numbers in assembly/unary.ts. */
const UNARY: Readonly<Record<string, number>> = {
  Relu: 1,
  Sigmoid: 2,
  Tanh: 3,
  Relu6: 4,
  Elu: 5,
  Selu: 6,
  LeakyRelu: 9,
  Softplus: 10,
  Exp: 13,
  Log: 14,
  Log1p: 15,
  Sqrt: 16,
  Rsqrt: 17,
  Square: 18,
  Neg: 19,
  Abs: 20,
  Erf: 21,
  Reciprocal: 22,
  Floor: 23,
  Ceil: 24,
  Round: 25,
  Rint: 25,
}

/** The integers that an input is, where it is a constant of the body. */
function integers(node: Node, input: number): number[] | null {
  const held = constantOf(node.inputs[input])
  return held?.dtype === 'int32' || held?.dtype === 'int64' ? Array.from(held.data, Number) : null
}

/** An axis counted from the front; null where there is none or it is not there. */
function axisOf(axes: readonly number[] | null, rank: number): number | null {
  if (axes?.length !== 1) return null
  const axis = axes[0] < 0 ? axes[0] + rank : axes[0]
  return axis >= 0 && axis < rank ? axis : null
}

const one = (held: Held | null): readonly Held[] | null => (held === null ? null : [held])

const unary =
  (kernel: number): Write =>
  (frame, [input], node) => {
    const x = frame.floatsOf(input)
    const alpha = node.op === 'Elu' ? 1 : node.attrs.number('alpha', 0.2)
    return x === null ? null : [frame.unary(kernel, x, alpha)]
  }

const binary =
  (kernel: number): Write =>
  (frame, [x, y]) =>
    one(frame.binary(kernel, x, y))

const dims: Write = (_, [x]) => (x.kind === 'floats' || x.kind === 'steps' ? [{ kind: 'dims', shape: x.shape }] : null)

/** Ones in the shape of another value: what Keras's dropout is where nothing is dropped. */
const ones: Write = (_, [shape], { inputs }) => {
  const value = constantOf(inputs[1])
  const isOne = value?.dtype === 'float32' && value.shape.length === 0 && value.data[0] === 1
  return isOne && shape.kind === 'dims' ? [{ kind: 'ones', shape: shape.shape }] : null
}

const product = binary(ZIPS.indexOf('mul'))

/** What is multiplied by ones stays as it is. */
const mul: Write = (frame, [x, y], node) => {
  const [factor, other] = x.kind === 'ones' ? [x, y] : [y, x]
  const isSame =
    factor.kind === 'ones' &&
    (other.kind === 'floats' || other.kind === 'steps') &&
    sameShape(factor.shape, other.shape)
  return isSame ? [other] : product(frame, [x, y], node)
}

const bias: Write = (frame, [x, b], { attrs }) => {
  const isLast = 'shape' in x && 'shape' in b && x.shape.length > 1 && sameShape(b.shape, x.shape.slice(-1))
  return isLast && attrs.string('data_format', 'NHWC') === 'NHWC' ? one(frame.binary(0, x, b)) : null
}

const matMul: Write = (frame, [a, b], { attrs }) =>
  attrs.boolean('transpose_a', false) ? null : one(frame.product(a, b, attrs.boolean('transpose_b', false)))

/** The parts of x of these sizes; one of -1 is what the others leave. */
function parts(frame: Frame, x: Floats | null, axes: number[] | null, sizes: number[]): readonly Held[] | null {
  const axis = x === null ? null : axisOf(axes, x.shape.length)
  if (x === null || axis === null) return null
  const known = sizes.reduce((sum, size) => sum + Math.max(0, size), 0)
  const all = sizes.map((size) => (size === -1 ? x.shape[axis] - known : size))
  if (all.some((size) => !(size >= 0)) || all.reduce((sum, size) => sum + size, 0) !== x.shape[axis]) return null
  let to = 0
  return all.map((size) => {
    to += size
    return frame.part(x, axis, to - size, to)
  })
}

const split: Write = (frame, [, input], node) => {
  const x = frame.floatsOf(input)
  const axis = x === null ? null : axisOf(integers(node, 0), x.shape.length)
  const count = node.attrs.number('num_split')
  if (x === null || axis === null || x.shape[axis] % count !== 0) return null
  return parts(frame, x, [axis], new Array<number>(count).fill(x.shape[axis] / count))
}

const splitV: Write = (frame, [input], node) => {
  const sizes = integers(node, 1)
  return sizes === null || sizes.filter((size) => size < 0).length > 1
    ? null
    : parts(frame, frame.floatsOf(input), integers(node, 2), sizes)
}

const concat: Write = (frame, inputs, node) => {
  const all = inputs.slice(0, -1).map((input) => frame.floatsOf(input))
  const [first] = all
  const axis = first === null ? null : axisOf(integers(node, all.length), first.shape.length)
  if (axis === null) return null
  const rest = ({ shape }: Floats) => shape.toSpliced(axis, 1)
  const fits = (part: Floats | null): part is Floats =>
    part !== null && part.shape.length === first?.shape.length && sameShape(rest(part), rest(first))
  return all.every(fits) ? [frame.joined(all, axis)] : null
}

/** Whole but for columns: what GRU takes of all its gates. */
const slice: Write = (frame, [input], node) => {
  const x = frame.floatsOf(input)
  const [begin, end, strides] = [1, 2, 3].map((i) => integers(node, i))
  const mask = (name: string) => node.attrs.number(name, 0)
  if (x === null || begin === null || end === null || strides?.some((stride) => stride !== 1) !== false) return null
  if (begin.length !== x.shape.length || end.length !== begin.length) return null
  if (['ellipsis_mask', 'new_axis_mask', 'shrink_axis_mask'].some((name) => mask(name) !== 0)) return null
  const bounds = x.shape.map((size, d) => {
    const place = (at: number) => Math.min(size, Math.max(0, at < 0 ? at + size : at))
    const isOpen = (name: string) => ((mask(name) >> d) & 1) === 1
    return [isOpen('begin_mask') ? 0 : place(begin[d]), isOpen('end_mask') ? size : place(end[d])]
  })
  const last = x.shape.length - 1
  const isWhole = bounds.every(([from, to], d) => d === last || (from === 0 && to === x.shape[d]))
  const [from, to] = bounds[last]
  return isWhole && to > from ? [frame.part(x, last, from, to)] : null
}

/** The same numbers in another shape. */
const reshaped =
  (shapeOf: (shape: readonly number[], node: Node) => readonly number[] | null): Write =>
  (frame, [input], node) => {
    const x = frame.now(input)
    if (x.kind !== 'floats' && x.kind !== 'mask') return null
    const shape = shapeOf(x.shape, node)
    return shape === null ? null : [{ ...x, shape }]
  }

const squeezed = (shape: readonly number[], { attrs }: Node): readonly number[] | null => {
  const axes = attrs.numbers('squeeze_dims', []).map((axis) => axisOf([axis], shape.length))
  if (axes.some((axis) => axis === null || shape[axis] !== 1)) return null
  return shape.filter((dim, axis) => (axes.length === 0 ? dim !== 1 : !axes.includes(axis)))
}

/** Tile by ones alone. */
const tiled = (shape: readonly number[], node: Node): readonly number[] | null => {
  const times = integers(node, 1)
  return times?.length === shape.length && times.every((time) => time === 1) ? shape : null
}

const choose: Write = (frame, [mask, left, right]) => {
  const [x, y] = [frame.floatsOf(left), frame.floatsOf(right)]
  return x === null || y === null ? null : one(frame.choose(frame.now(mask), x, y))
}

/** A mask of fewer dimensions is of the first ones here. */
const chooseRows: Write = (frame, [mask, left, right], node) => {
  if (!('shape' in mask) || !('shape' in left) || mask.shape.length !== 1 || left.shape.length < 1)
    return choose(frame, [mask, left, right], node)
  const of = frame.now(mask)
  if (of.kind !== 'mask' || mask.shape[0] !== left.shape[0]) return null
  return choose(frame, [{ ...of, shape: left.shape.map((dim, axis) => (axis === 0 ? dim : 1)) }, left, right], node)
}

const zerosLike: Write = (frame, [x]) => {
  if (x.kind !== 'floats' && (x.kind !== 'steps' || x.of !== 'floats')) return null
  const size = sizeOf(x.shape)
  const at = frame.room(4 * size)
  frame.zeros.push([at.offset / 4, size])
  return [{ kind: 'floats', at, shape: x.shape }]
}

/** An index that counts the steps, or stays. */
function indexOf(held: Held, node: Node): Index | null {
  if (held.kind === 'counter') return { parameter: held.parameter }
  const [constant, ...others] = integers(node, 1) ?? []
  return constant === undefined || others.length > 0 ? null : { constant }
}

/** The elements of a list that stays, one a step. */
const getItem: Write = (frame, [list, index], { attrs }) => {
  if (list.kind !== 'list' || index.kind !== 'counter') return null
  const { dtype, whole, tensors } = list.list
  const shape = whole?.shape.slice(1) ?? tensors[0]?.shape
  const of = dtype === 'float32' ? 'floats' : dtype === 'bool' ? 'mask' : null
  if (shape === undefined || of === null || attrs.dtype('element_dtype') !== dtype) return null
  const from = { parameter: index.parameter }
  const source = { kind: 'elements', constant: list.constant, dtype, from, shape } as const
  return [{ kind: 'steps', of, shape, at: frame.source(source) }]
}

const setItem: Write = (frame, [list, index, item], node) => {
  const x = frame.floatsOf(item)
  const at = indexOf(index, node)
  if (list.kind !== 'open' || x === null || at === null || node.attrs.dtype('element_dtype') !== 'float32') return null
  const bytes = 4 * sizeOf(x.shape)
  const isEach = 'parameter' in at
  const written = frame.room(isEach ? frame.steps * bytes : bytes)
  frame.each.call(STEP.move, [written, x.at, null], bytes, isEach ? bytes : 0, 0)
  const result = { kind: 'list', offset: written.offset / 4, shape: x.shape, at } as const
  return [{ kind: 'written', parameter: list.parameter, result }]
}

const readArray: Write = (frame, [held, index], { attrs }) => {
  if (held.kind !== 'array' || index.kind !== 'counter') return null
  const { dtype, elements } = held.array
  const shape = elements.find((element) => element !== null && element !== undefined)?.shape
  if (shape === undefined || dtype !== 'float32' || attrs.dtype('dtype') !== dtype) return null
  const from = { parameter: index.parameter }
  const source = { kind: 'elements', constant: held.constant, dtype, from, shape } as const
  return [{ kind: 'steps', of: 'floats', shape, at: frame.source(source) }]
}

const writeArray: Write = (frame, [held, index, item]) => {
  const x = frame.floatsOf(item)
  if (held.kind !== 'array' || index.kind !== 'counter' || x === null) return null
  const bytes = 4 * sizeOf(x.shape)
  const written = frame.room(frame.steps * bytes)
  frame.each.call(STEP.move, [written, x.at, null], bytes, bytes, 0)
  const from = { parameter: index.parameter }
  frame.stored.push({ constant: held.constant, offset: written.offset / 4, shape: x.shape, from })
  return [{ kind: 'flow' }]
}

type Comparison = (a: number, b: number) => boolean

/** Of a counter and integers that stay: whether a row's sequence goes on. */
const compared =
  (holds: Comparison): Write =>
  (frame, [left, right]) => {
    const [counter, others] = left.kind === 'counter' ? [left, right] : [right, left]
    if (counter.kind !== 'counter' || others.kind !== 'integers') return null
    const { constant, shape } = others
    const turned: Comparison = left === counter ? holds : (count, other) => holds(other, count)
    const at = frame.source({ kind: 'compared', constant, parameter: counter.parameter, holds: turned })
    return [{ kind: 'steps', of: 'mask', shape, at }]
  }

export const LOOP_OPS: ReadonlyMap<string, Write> = new Map<string, Write>([
  ...Object.entries(UNARY).map(([op, kernel]) => [op, unary(kernel)] as const),
  ...Object.entries(BINARY).map(([op, kernel]) => [op, binary(ZIPS.indexOf(kernel))] as const),
  ['Mul', mul],
  ['Shape', dims],
  ['Fill', ones],
  ['BiasAdd', bias],
  ['MatMul', matMul],
  ['Split', split],
  ['SplitV', splitV],
  ['ConcatV2', concat],
  ['StridedSlice', slice],
  ['Identity', (frame, [x]) => [frame.now(x)]],
  ['Squeeze', reshaped(squeezed)],
  ['Tile', reshaped(tiled)],
  ['Select', chooseRows],
  ['SelectV2', choose],
  ['Less', compared((a, b) => a < b)],
  ['LessEqual', compared((a, b) => a <= b)],
  ['Greater', compared((a, b) => a > b)],
  ['GreaterEqual', compared((a, b) => a >= b)],
  ['ZerosLike', zerosLike],
  ['TensorListGetItem', getItem],
  ['TensorListSetItem', setItem],
  ['TensorArrayReadV3', readArray],
  ['TensorArrayWriteV3', writeArray],
])
