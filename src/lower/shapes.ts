import { constantOf, type Graph, type Node, PARAMETER, type Port, type Resource, type Value } from '../graph/index.ts'
import { type DType, sameShape, type Tensor } from '../tensor/index.ts'

// What a graph says of its values' shapes, where that is certain: whatever a node's op would refuse is not known, so that a
// value with a shape is one that can be computed.

/** A dimension that every run agrees on: a number, or the name of one that a parameter brings. */
export type Size = number | string

export interface Known {
  readonly dtype: DType
  readonly shape: readonly Size[]
}

export interface Shapes {
  of(value: Value): Known | null
}

/** One output's, or all outputs'; null where nothing is certain. */
type Rule = (node: Node, inputs: readonly (Known | null)[], numbers: Numbers) => Known | readonly Known[] | null

/** The integers of a value, as far as they are sizes. */
type Numbers = (value: Value) => readonly Size[] | null

export function shapesOf(graph: Graph, ports: readonly Port[]): Shapes {
  const known = new Map<Node, readonly Known[]>()
  const sizes = new Map<Node, readonly Size[]>()
  const of = ({ node, index }: Value): Known | null => {
    const held = constantOf({ node, index })
    return held === null ? (known.get(node)?.[index] ?? null) : held
  }
  const numbers: Numbers = (value) => integersOf(constantOf(value)) ?? sizes.get(value.node) ?? null
  for (const node of graph.nodes) {
    if (node.controls.length > 0) continue
    if (node.op === PARAMETER) {
      const i = graph.parameters.indexOf(node)
      const shape = ports[i]?.shape?.map((dim, axis) => dim ?? `${i}.${axis}`)
      if (shape !== undefined) known.set(node, [{ dtype: ports[i].dtype, shape }])
      continue
    }
    const found = RULES.get(node.op)?.(node, node.inputs.map(of), numbers) ?? null
    if (found !== null) known.set(node, 'dtype' in found ? [found] : found)
    const counted = sizesOf(node, of, numbers)
    if (counted !== null) sizes.set(node, counted)
  }
  return { of }
}

function integersOf(t: Tensor | null): readonly number[] | null {
  return t?.dtype === 'int32' || t?.dtype === 'int64' ? Array.from(t.data, Number) : null
}

/** What a node that handles sizes gives: a shape, one of its dimensions, several put together. */
function sizesOf(node: Node, of: Shapes['of'], numbers: Numbers): readonly Size[] | null {
  if (node.op === 'Shape') return of(node.inputs[0])?.shape ?? null
  if (node.op === 'Pack') {
    const parts = node.inputs.map(numbers)
    return parts.every((part) => part?.length === 1) ? parts.flatMap((part) => part ?? []) : null
  }
  if (node.op !== 'StridedSlice') return null
  const whole = numbers(node.inputs[0])
  const at = first(node, numbers)
  return whole === null || at === null || at >= whole.length ? null : [whole[at]]
}

const MASKS = ['begin_mask', 'end_mask', 'ellipsis_mask', 'new_axis_mask', 'shrink_axis_mask']

/** The index of x[index], of a slice of that form. */
function first({ attrs, inputs }: Node, numbers: Numbers): number | null {
  const [begin, , stride] = inputs.slice(1).map(numbers)
  const isOne = MASKS.every((mask) => attrs.number(mask, 0) === (mask === 'shrink_axis_mask' ? 1 : 0))
  const at = begin?.length === 1 && stride?.[0] === 1 ? begin[0] : null
  return isOne && typeof at === 'number' && at >= 0 ? at : null
}

/** The shape of x[index], where the index is there. */
function without(node: Node, shape: readonly Size[], numbers: Numbers): readonly Size[] | null {
  const at = first(node, numbers)
  const [length] = shape
  return at === null || typeof length !== 'number' || at >= length ? null : shape.slice(1)
}

/** The shape of x[from:to, …], bounds for each axis. */
function within({ attrs, inputs }: Node, shape: readonly Size[]): readonly Size[] | null {
  const [begin, end, strides] = inputs.slice(1).map((value) => integersOf(constantOf(value)))
  if (
    begin?.length !== shape.length ||
    end?.length !== shape.length ||
    strides?.some((stride) => stride !== 1) !== false
  )
    return null
  if (MASKS.slice(2).some((mask) => attrs.number(mask, 0) !== 0)) return null
  const [opens, ends] = [attrs.number('begin_mask', 0), attrs.number('end_mask', 0)]
  const cut = shape.map((size, axis) => {
    const [isFirst, isLast] = [((opens >> axis) & 1) === 1, ((ends >> axis) & 1) === 1]
    if (isFirst && isLast) return size
    if (typeof size !== 'number') return null
    const place = (at: number) => Math.min(size, Math.max(0, at < 0 ? at + size : at))
    return Math.max(0, (isLast ? size : place(end[axis])) - (isFirst ? 0 : place(begin[axis])))
  })
  return cut.every((size) => size !== null) ? cut : null
}

const same: Rule = (_, [x]) => x

/** Two of one shape, or one that is a number or a row of the other's last axis. */
function together(dtype: DType | null): Rule {
  return (_, [a, b]) => {
    if (a === null || b === null || a.dtype !== b.dtype) return null
    const [large, small] = a.shape.length >= b.shape.length ? [a, b] : [b, a]
    const fits = small.shape.length === 0 || sameShape(small.shape, large.shape.slice(-small.shape.length))
    return fits ? { dtype: dtype ?? a.dtype, shape: large.shape } : null
  }
}

/** Parts along an axis, of these sizes; -1 is what the others leave. */
function parts(
  x: Known | null,
  axes: readonly Size[] | null,
  asked: (whole: number) => readonly number[],
): Known[] | null {
  const [axis] = axes ?? []
  if (x === null || typeof axis !== 'number' || axes?.length !== 1) return null
  const at = axis < 0 ? axis + x.shape.length : axis
  const whole = x.shape[at]
  if (typeof whole !== 'number') return null
  const sizes = asked(whole)
  const rest = whole - sizes.reduce((sum, size) => sum + Math.max(0, size), 0)
  const all = sizes.map((size) => (size === -1 ? rest : size))
  if (all.some((size) => !(size >= 0) || !Number.isInteger(size)) || all.reduce((a, b) => a + b, 0) !== whole)
    return null
  return all.map((size) => ({ dtype: x.dtype, shape: x.shape.with(at, size) }))
}

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>(
  Object.entries<Rule>({
    ...Object.fromEntries(
      ['Relu', 'Relu6', 'Sigmoid', 'Tanh', 'Elu', 'Selu', 'Softplus', 'Exp', 'Neg', 'Square', 'ZerosLike'].map((op) => [
        op,
        same,
      ]),
    ),
    ...Object.fromEntries(['Add', 'AddV2', 'Sub', 'Mul', 'Maximum', 'Minimum'].map((op) => [op, together(null)])),
    ...Object.fromEntries(['Less', 'LessEqual', 'Greater', 'GreaterEqual'].map((op) => [op, together('bool')])),
    // Integers divided by zero are refused.
    RealDiv: (node, inputs, numbers) => (inputs[0]?.dtype === 'float32' ? together(null)(node, inputs, numbers) : null),
    BiasAdd: (node, [x, bias]) => {
      const last = x?.shape[x.shape.length - 1]
      const fits = x !== null && x.shape.length > 1 && bias?.shape.length === 1 && bias.shape[0] === last
      return fits && x.dtype === bias.dtype && node.attrs.string('data_format', 'NHWC') === 'NHWC' ? x : null
    },
    SelectV2: (_, [mask, a, b]) =>
      mask?.dtype === 'bool' && a !== null && b !== null && a.dtype === b.dtype && sameShape(a.shape, b.shape)
        ? sameShape(mask.shape, a.shape)
          ? a
          : null
        : null,
    MatMul: ({ attrs }, [a, b]) => {
      const isPlain = !attrs.boolean('transpose_a', false) && !attrs.boolean('transpose_b', false)
      if (!isPlain || a?.shape.length !== 2 || b?.shape.length !== 2 || a.dtype !== b.dtype) return null
      return a.shape[1] === b.shape[0] ? { dtype: a.dtype, shape: [a.shape[0], b.shape[1]] } : null
    },
    ReadVariableOp: ({ inputs }) => {
      const held = constantOf(inputs[0])
      const resource = held?.dtype === 'resource' ? (held.data[0] as Resource) : null
      return resource?.kind === 'variable' ? resource.value : null
    },
    GatherV2: ({ attrs, inputs }, [table, ids], numbers) => {
      const isRows = attrs.number('batch_dims', 0) === 0 && `${numbers(inputs[2])}` === '0'
      if (table === null || ids === null || !isRows || table.shape.length === 0) return null
      return { dtype: table.dtype, shape: [...ids.shape, ...table.shape.slice(1)] }
    },
    Fill: ({ inputs }, [, value], numbers) => {
      const shape = numbers(inputs[0])
      return shape === null || value?.shape.length !== 0 ? null : { dtype: value.dtype, shape }
    },
    Transpose: ({ inputs }, [x], numbers) => {
      const order = numbers(inputs[1])
      const isOrder = order?.length === x?.shape.length && x?.shape.every((_, axis) => order?.includes(axis))
      return x === null || order === null || isOrder !== true
        ? null
        : { dtype: x.dtype, shape: order.map((axis) => x.shape[axis as number]) }
    },
    StridedSlice: (node, [x], numbers) => {
      const shape = x === null ? null : (without(node, x.shape, numbers) ?? within(node, x.shape))
      return x === null || shape === null ? null : { dtype: x.dtype, shape }
    },
    Squeeze: ({ attrs }, [x]) => {
      const axes = attrs.numbers('squeeze_dims', []).map((axis) => (axis < 0 ? axis + (x?.shape.length ?? 0) : axis))
      if (x === null || !axes.every((axis) => x.shape[axis] === 1)) return null
      if (axes.length === 0 && x.shape.some((size) => typeof size !== 'number')) return null
      return {
        dtype: x.dtype,
        shape: x.shape.filter((size, axis) => (axes.length === 0 ? size !== 1 : !axes.includes(axis))),
      }
    },
    Unpack: ({ attrs }, [x]) => {
      const count = x?.shape[0]
      if (x === null || attrs.number('axis', 0) !== 0 || typeof count !== 'number') return null
      return Array.from({ length: count }, () => ({ dtype: x.dtype, shape: x.shape.slice(1) }))
    },
    Split: ({ attrs, inputs }, [, x], numbers) => {
      const count = attrs.number('num_split')
      return parts(x, numbers(inputs[0]), (whole) => new Array<number>(count).fill(whole / count))
    },
    SplitV: ({ inputs }, [x], numbers) => {
      const sizes = integersOf(constantOf(inputs[1]))
      return sizes === null || sizes.filter((size) => size < 0).length > 1
        ? null
        : parts(x, numbers(inputs[2]), () => sizes)
    },
  }),
)
