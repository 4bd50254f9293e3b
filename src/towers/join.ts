import { constantOf, type Graph, type Node, type Similarity, type Value } from '../graph/index.ts'
import { isFloat, isNumeric, sizeOf, type TypedArray } from '../tensor/index.ts'
import { dependence } from './dependence.ts'
import { type Meeting, meetingAt } from './meeting.ts'

/** Where the two towers of a graph meet, and what becomes of their similarity on the way to the output. */
export interface Join extends Omit<Meeting, 'metric' | 'words'> {
  /** Null where the output is no scale · metric + bias, nor a logistic of one: the towers are known, the score is not. */
  readonly similarity: Similarity | null
  /** In words: the ops between the towers and the output, the last one first. */
  readonly path: readonly string[]
}

/**
 * Follows `output` back to the op that joins two values of disjoint inputs, and reads on the way what is done to the
 * joined value: scale, bias, logistic.
 * @param rank how many dimensions the output has; null where that is not known
 * @returns null where nothing separates the inputs, for example where features are concatenated
 */
export function findJoin(graph: Graph, output: Value, rank: number | null): Join | null {
  const sources = dependence(graph)
  const inputsOf = (value: Value) => sources.get(value.node) ?? new Set<number>()
  const path: string[] = []
  let [scale, bias, sigmoid, known, sliced] = [1, 0, false, true, false]
  let [at, dimensions] = [output, rank]
  for (;;) {
    const { node } = at
    const meeting = meetingAt(node, inputsOf, dimensions)
    if (meeting !== null) {
      const { metric, words, ...rest } = meeting
      path.push(words)
      // A slice of all pairs leaves some out.
      const plain = known && metric !== null && !(sliced && meeting.pairs)
      return { ...rest, similarity: plain ? { metric, scale, bias, sigmoid } : null, path }
    }
    const step = peel(node)
    const late = step?.sigmoid === true && (sigmoid || scale !== 1 || bias !== 0)
    const inner = step?.inner ?? onward(node, inputsOf)
    if (inner === null) return null
    if (step === null || late) known = false
    else {
      // Read from the output inwards: what comes next is applied before what was read.
      bias += scale * step.bias
      scale *= step.scale
      sigmoid ||= step.sigmoid
    }
    sliced ||= node.op === 'StridedSlice'
    dimensions = rankBefore(node, dimensions)
    path.push(node.op)
    at = inner
  }
}

/**
 * The one input of `node` that carries the joined value, where nothing but constants and, in a sum, what one side adds
 * of its own comes to it.
 */
function onward(node: Node, inputsOf: (value: Value) => ReadonlySet<number>): Value | null {
  const size = Math.max(0, ...node.inputs.map((value) => inputsOf(value).size))
  const carrying = node.inputs.filter((value) => inputsOf(value).size === size)
  if (size < 2 || carrying.length !== 1) return null
  const others = node.inputs.filter((value) => value !== carrying[0])
  const ownBias = /^(Add|AddV2|Sub|BiasAdd)$/.test(node.op)
  const every = new Set(node.inputs.flatMap((value) => [...inputsOf(value)])).size
  return every === size && (ownBias || others.every((value) => inputsOf(value).size === 0)) ? carrying[0] : null
}

interface Step {
  readonly inner: Value
  readonly scale: number
  readonly bias: number
  readonly sigmoid: boolean
}

/** Ops between the join and the output that change no value. */
const PASSES = new Set(['Reshape', 'Squeeze', 'ExpandDims', 'Identity', 'Cast', 'EnsureShape', 'StopGradient'])

/** To integers a cast cuts off what makes the score, to halves it rounds. */
const isExact = (cast: Node): boolean => /^float(32|64)$/.test(cast.attrs.string('DstT', 'float32'))

/** How many dimensions what `node` follows has, where it gives `rank`; null where that is not known. */
function rankBefore({ op, attrs, inputs }: Node, rank: number | null): number | null {
  if (rank === null || op === 'Reshape' || op === 'StridedSlice') return null
  if (op === 'ExpandDims') return rank - 1
  if (op === 'Squeeze') {
    const { length } = attrs.numbers('squeeze_dims', [])
    return length === 0 ? null : rank + length
  }
  // Of constants beside, a matrix may bring dimensions.
  return op === 'MatMul' || inputs.every((value) => (constantOf(value)?.shape.length ?? 0) <= 1) ? rank : null
}

/** `node` as scale · inner + bias, or a logistic of it; null where it is neither. */
function peel(node: Node): Step | null {
  const [a, b] = node.inputs
  const plain = { scale: 1, bias: 0, sigmoid: false }
  if (node.op === 'Cast' && !isExact(node)) return null
  if (PASSES.has(node.op) || isCorner(node)) return { inner: a, ...plain }
  if (node.op === 'Sigmoid') return { inner: a, ...plain, sigmoid: true }
  if (node.op === 'Neg') return { inner: a, ...plain, scale: -1 }
  if (node.inputs.length !== 2) return null
  const [left, right] = [numberOf(a), numberOf(b)]
  switch (node.op) {
    case 'Mul':
      if (right !== null) return { inner: a, ...plain, scale: right }
      return left === null ? null : { inner: b, ...plain, scale: left }
    // A 1×1 matrix: Keras's Dense(1) on the similarity.
    case 'MatMul':
      return right === null ? null : { inner: a, ...plain, scale: right }
    case 'RealDiv':
    case 'Div':
      return right === null ? null : { inner: a, ...plain, scale: 1 / right }
    case 'Add':
    case 'AddV2':
    case 'BiasAdd':
      if (right !== null) return { inner: a, ...plain, bias: right }
      return left === null ? null : { inner: b, ...plain, bias: left }
    case 'Sub':
      if (right !== null) return { inner: a, ...plain, bias: -right }
      return left === null ? null : { inner: b, scale: -1, bias: left, sigmoid: false }
    default:
      return null
  }
}

/** `scores[:, 0]`: all rows, and the first of each further dimension. */
function isCorner(node: Node): boolean {
  if (node.op !== 'StridedSlice') return false
  const mask = (name: string) => node.attrs.number(name, 0)
  const starts = constantOf(node.inputs[1])
  if (starts === null || !isNumeric(starts)) return false
  const begin = [...(starts.data as TypedArray)].map(Number)
  const rest = (1 << begin.length) - 2
  return (
    (mask('begin_mask') & mask('end_mask') & 1) === 1 &&
    mask('shrink_axis_mask') === rest &&
    mask('new_axis_mask') === 0 &&
    mask('ellipsis_mask') === 0 &&
    begin.every((at) => at === 0)
  )
}

/** The one float that `value` is a constant of, or null. */
function numberOf(value: Value): number | null {
  const held = constantOf(value)
  if (held === null || !isNumeric(held) || !isFloat(held.dtype) || sizeOf(held.shape) !== 1) return null
  return Number((held.data as TypedArray)[0])
}
