import type { Call, Node } from '../graph/index.ts'
import { packedLength, sameShape, sizeOf, type Tensor } from '../tensor/index.ts'
import { ACTIVATIONS, type Kernels, type Pointer } from './kernels.ts'
import type { Memory } from './memory.ts'
import type { Place } from './place.ts'
import { type Axis, joinedAxes, laid } from './transpose.ts'

// Products of computed matrices, attention's above all, as calls of the one kernel for a product.

/** BatchMatMul of equal batches; null where only the reference knows the layout. */
function batchMatMul({ inputs: [a, b], attrs }: Call, memory: Memory, kernels: Kernels): Tensor | null {
  if (a.dtype !== 'float32' || b.dtype !== 'float32' || attrs.boolean('adj_x', false)) return null
  const rank = a.shape.length
  if (rank < 2 || b.shape.length < 2) return null
  // One matrix for all: their rows are those of one product.
  const isShared = b.shape.length < rank && b.data.length === sizeOf(b.shape.slice(-2))
  if (!isShared && rank !== b.shape.length) return null
  for (let axis = 0; axis < rank - 2 && !isShared; axis++) if (a.shape[axis] !== b.shape[axis]) return null
  const transposed = attrs.boolean('adj_y', false)
  const [m, k] = a.shape.slice(-2)
  const [inner, n] = transposed ? b.shape.slice(-2).reverse() : b.shape.slice(-2)
  if (inner !== k) return null
  const count = sizeOf(a.shape.slice(0, -2))
  const [at, bt] = [memory.address(a.data), memory.address(b.data)]
  if (at === null || bt === null) return null
  const sizes = isShared ? { count: 1, m: count * m, k, n, transposed } : { count, m, k, n, transposed }
  const out = products(at, bt, sizes, memory, kernels)
  return out === null ? null : { dtype: 'float32', shape: [...a.shape.slice(0, -1), n], data: out }
}

interface Sizes {
  readonly count: number
  readonly m: number
  readonly k: number
  readonly n: number
  /** True where the second matrices are n × k. */
  readonly transposed: boolean
}

function products(a: Pointer, b: Pointer, sizes: Sizes, memory: Memory, kernels: Kernels): Float32Array | null {
  const { count, m, k, n, transposed } = sizes
  const out = k === 0 || m === 0 || n === 0 || count === 0 ? null : memory.room(count * m * n)
  if (out === null) return null
  const panels = !transposed && m >= PACKED_ROWS && k >= PACKED_STEPS ? memory.room(packedLength(k, n)) : null
  for (let i = 0; i < count; i++) {
    const [to, left, right] = [out.byteOffset + 4 * i * m * n, a + 4 * i * m * k, b + 4 * i * k * n]
    if (panels === null) kernels.matmul(to, left, right, m, k, n, transposed ? 1 : 0)
    else {
      kernels.packPanels(panels.byteOffset, right, k, n)
      kernels.dense(to, left, panels.byteOffset, 0, m, k, n, ACTIVATIONS.none, 0)
    }
  }
  return out
}

/**
 * From so many rows and steps of a sum on the second matrix is laid in panels first, which gives the same numbers: 156 × 64 by 64 ×
 * 6 in 1/1.4 of the time (Node 20) and 1/2.0 (Node 24, relaxed), 64 × 64 × 12 1/1.4 and 1/1.8, 128 × 128 × 64 1/1.05 and 1/1.2,
 * 200 × 200 × 16 the same and 1/1.4; of fewer it takes up to 1.2 times as long.
 */
const PACKED_ROWS = 32
const PACKED_STEPS = 16

/** An equation over two operands whose labels each stand once in a term. */
const EQUATION = /^([A-Za-z]+),([A-Za-z]+)->([A-Za-z]*)$/

/** An equation read for two shapes. Axes are those of an array laid out anew, null where its elements lie right as they are. */
interface Contraction {
  readonly shapes: readonly [readonly number[], readonly number[]]
  readonly sizes: Sizes
  readonly first: readonly Axis[] | null
  readonly second: readonly Axis[] | null
  readonly out: readonly Axis[] | null
  readonly shape: readonly number[]
}

/**
 * Einsum of two operands as products: the labels of both that the output keeps number them, those that it drops are summed
 * over. Null for everything else that the op can say (one operand, an ellipsis, a diagonal, a sum over one operand), and where
 * sizes do not agree, which is the reference's to refuse.
 */
function contraction(equation: string, a: readonly number[], b: readonly number[]): Contraction | null {
  const terms = EQUATION.exec(equation)
    ?.slice(1)
    .map((term) => [...term])
  if (terms === undefined) return null
  const [left, right, kept] = terms
  if (terms.some((term) => new Set(term).size !== term.length)) return null
  if (left.length !== a.length || right.length !== b.length) return null
  const dims = new Map(left.map((label, axis) => [label, a[axis]]))
  for (const [axis, label] of right.entries()) {
    if ((dims.get(label) ?? b[axis]) !== b[axis]) return null
    dims.set(label, b[axis])
  }
  const each = kept.filter((label) => left.includes(label) && right.includes(label))
  const rows = kept.filter((label) => left.includes(label) && !right.includes(label))
  const columns = kept.filter((label) => right.includes(label) && !left.includes(label))
  const summed = left.filter((label) => right.includes(label) && !kept.includes(label))
  // A label of one operand alone that the output drops, or of the output alone, is none of the four.
  if (each.length + rows.length + summed.length !== left.length) return null
  if (each.length + columns.length + summed.length !== right.length) return null
  if (each.length + rows.length + columns.length !== kept.length) return null
  const size = (labels: readonly string[]) => sizeOf(labels.map((label) => dims.get(label) as number))
  const transposed = `${right}` !== `${[...each, ...summed, ...columns]}`
  return {
    shapes: [a, b],
    sizes: { count: size(each), m: size(rows), k: size(summed), n: size(columns), transposed },
    first: arrangement(left, [...each, ...rows, ...summed], dims),
    second: arrangement(right, transposed ? [...each, ...columns, ...summed] : right, dims),
    out: arrangement([...each, ...rows, ...columns], kept, dims),
    shape: kept.map((label) => dims.get(label) as number),
  }
}

/** From axes in the order `from` to the order `to`; null where that is the same. */
function arrangement(
  from: readonly string[],
  to: readonly string[],
  dims: ReadonlyMap<string, number>,
): readonly Axis[] | null {
  const steps = new Map<string, number>()
  let step = 1
  for (const label of [...from].reverse()) {
    steps.set(label, step)
    step *= dims.get(label) as number
  }
  const axes = joinedAxes(to.map((label) => ({ count: dims.get(label) as number, step: steps.get(label) as number })))
  return axes.length < 2 ? null : axes
}

/** Einsum, its equation read once for the shapes that come again. */
function einsumWith(memory: Memory, kernels: Kernels): (call: Call) => Tensor | null {
  const known = new WeakMap<Node, Contraction>()
  return ({ inputs: [a, b], attrs, node }) => {
    if (b === undefined || a.dtype !== 'float32' || b.dtype !== 'float32') return null
    let plan = known.get(node) ?? null
    if (plan === null || !sameShape(plan.shapes[0], a.shape) || !sameShape(plan.shapes[1], b.shape)) {
      plan = contraction(attrs.string('equation'), a.shape, b.shape)
      if (plan === null) return null
      known.set(node, plan)
    }
    const { sizes, shape } = plan
    const arranged = (data: Float32Array, axes: readonly Axis[] | null) =>
      axes === null ? data : laid(data, axes, memory, kernels)
    const [first, second] = [arranged(a.data, plan.first), arranged(b.data, plan.second)]
    const [at, bt] = [first === null ? null : memory.address(first), second === null ? null : memory.address(second)]
    if (at === null || bt === null) return null
    const made = products(at, bt, sizes, memory, kernels)
    const data = made === null ? null : arranged(made, plan.out)
    return data === null ? null : { dtype: 'float32', shape, data }
  }
}

function matmul({ inputs: [a, b], attrs }: Call, memory: Memory, kernels: Kernels, smallest: number): Tensor | null {
  if (a.dtype !== 'float32' || b.dtype !== 'float32' || a.shape.length !== 2 || b.shape.length !== 2) return null
  if (attrs.boolean('transpose_a', false)) return null
  const transposed = attrs.boolean('transpose_b', false)
  const [m, k] = a.shape
  const [inner, n] = transposed ? [b.shape[1], b.shape[0]] : b.shape
  if (inner !== k || m * n < smallest || k === 0) return null
  const [at, bt] = [memory.address(a.data), memory.address(b.data)]
  if (at === null || bt === null) return null
  const out = products(at, bt, { count: 1, m, k, n, transposed }, memory, kernels)
  return out === null ? null : { dtype: 'float32', shape: [m, n], data: out }
}

/** Puts the kernel in place of the ops. */
export function bind(place: Place, memory: Memory, kernels: Kernels, smallest: number): void {
  place('MatMul', (call) => matmul(call, memory, kernels, smallest))
  for (const name of ['BatchMatMul', 'BatchMatMulV2', 'BatchMatMulV3'])
    place(name, (call) => batchMatMul(call, memory, kernels))
  place('Einsum', einsumWith(memory, kernels))
}
