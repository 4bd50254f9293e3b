import { Attrs, constantOf, type Graph, type Node, type Value } from '../graph/index.ts'
import { rewrite } from '../graph/rewrite.ts'
import { type Readers, readers } from './readers.ts'

/** The fused op's name: no op of TensorFlow's. Its semantics are in ops/fused.ts. */
const POOL_ROWS = 'twotower>PoolRows'

/**
 * The sum or mean over axis 1 of the rows that ids look up in a constant table, masked or not, becomes one node: the rows are
 * added where they lie instead of being copied, multiplied and added.
 */
export function fusePooling(graph: Graph): Graph {
  const uses = readers(graph)
  return rewrite(graph, (node, { emit, now }) => {
    const found = pooled(node, uses)
    if (found === null) return null
    const { table, ids, mask, combiner } = found
    const inputs = [now(table), now(ids), ...(mask === null ? [] : [now(mask.of)])]
    const attrs = new Attrs({ combiner, ...(mask === null ? {} : { axis: mask.axis }) })
    return [{ node: emit({ name: node.name, op: POOL_ROWS, attrs, inputs, controls: [] }), index: 0 }]
  })
}

/** A value with an axis of one element more, which is the last one where it is a matrix. */
interface Spread {
  readonly of: Value
  readonly axis: 2 | -1
}

interface Pooling {
  readonly table: Value
  readonly ids: Value
  /** Null where all rows count. */
  readonly mask: Spread | null
  readonly combiner: 'sum' | 'mean'
}

function pooled(node: Node, uses: Readers): Pooling | null {
  if ((node.op !== 'Sum' && node.op !== 'Mean') || node.controls.length > 0) return null
  if (node.attrs.boolean('keep_dims', false) || !isOne(node.inputs[1])) return null
  const summed = node.inputs[0].node
  if (uses.only(summed) !== node) return null
  const combiner = node.op === 'Sum' ? 'sum' : 'mean'
  const plain = lookup(summed)
  if (plain !== null) return { ...plain, mask: null, combiner }
  if (summed.op !== 'Mul' || summed.controls.length > 0) return null
  for (const [rows, weights] of [summed.inputs, [...summed.inputs].reverse()]) {
    const found = lookup(rows.node)
    const mask = spread(weights.node)
    if (found !== null && mask !== null && uses.only(rows.node) === summed) return { ...found, mask, combiner }
  }
  return null
}

/** A lookup of rows of a constant matrix. */
function lookup(node: Node): { readonly table: Value; readonly ids: Value } | null {
  if (node.op !== 'GatherV2' || node.controls.length > 0 || node.attrs.number('batch_dims', 0) !== 0) return null
  const [table, ids, axis] = node.inputs
  const [held, along] = [constantOf(table), constantOf(axis)]
  const isMatrix = held?.dtype === 'float32' && held.shape.length === 2
  const isFirst = (along?.dtype === 'int32' || along?.dtype === 'int64') && Number(along.data[0]) === 0
  return isMatrix && isFirst ? { table, ids } : null
}

/** `x[:, :, newaxis]`, expand_dims(x, 2) or (x, -1). */
function spread(node: Node): Spread | null {
  if (node.controls.length > 0) return null
  if (node.op === 'ExpandDims') {
    const axis = constantOf(node.inputs[1])
    const at = axis?.dtype === 'int32' || axis?.dtype === 'int64' ? Number(axis.data[0]) : null
    return at === -1 || at === 2 ? { of: node.inputs[0], axis: at } : null
  }
  if (node.op !== 'StridedSlice') return null
  const mask = (name: string) => node.attrs.number(name, 0)
  const begin = constantOf(node.inputs[1])
  const wholes = begin?.shape[0] === 3 && (mask('begin_mask') & 3) === 3 && (mask('end_mask') & 3) === 3
  const newLast = mask('new_axis_mask') === 4 && mask('ellipsis_mask') === 0 && (mask('shrink_axis_mask') & 3) === 0
  const strides = constantOf(node.inputs[3])
  const forward = strides?.dtype === 'int32' && strides.data[0] === 1 && strides.data[1] === 1
  return wholes && newLast && forward ? { of: node.inputs[0], axis: 2 } : null
}

function isOne(value: Value): boolean {
  const axis = constantOf(value)
  return (axis?.dtype === 'int32' || axis?.dtype === 'int64') && axis.data.length === 1 && Number(axis.data[0]) === 1
}
