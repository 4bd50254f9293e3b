import { CONST, type Graph, type ModelDefinition, type Node } from '../graph/index.ts'
import { sizeOf, type Tensor } from '../tensor/index.ts'
import { aligned, MOST_BYTES } from './linear.ts'
import { SMALL_TABLE } from './pooling.ts'

/** Address space that is left to values. */
const FOR_VALUES = 2 ** 30

/** All graphs that a model runs. */
export function graphsOf({ signatures, towers: { query, candidate } }: ModelDefinition): Graph[] {
  const parts = [...signatures, query, candidate].filter((part) => part !== null)
  return [...new Set(parts.map(({ graph }) => graph))]
}

/**
 * The constants that stay in linear memory as they are: the weights of dense layers, those of products and of the loops that
 * hold recurrent cells, and small tables that are pooled. What the address space does not hold is left out, and its layer runs
 * by the reference.
 */
export function residentsOf(graphs: readonly Graph[]): Node[] {
  const found = new Map<unknown, Node>()
  let bytes = 0
  for (const { op, inputs } of graphs.flatMap(({ nodes }) => nodes)) {
    for (const { node } of inputs) {
      const held = node.op === CONST ? node.attrs.tensor('value') : null
      if (held === null || !isWeight(op, held) || found.has(held.data)) continue
      if (held.dtype !== 'float32' && held.dtype !== 'int8' && held.dtype !== 'int32') continue
      const size = aligned(held.data.byteLength)
      if (bytes + size > MOST_BYTES - FOR_VALUES) continue
      found.set(held.data, node)
      bytes += size
    }
  }
  return [...found.values()]
}

/** Whether a constant that an op takes is a weight that its kernel reads again and again. */
function isWeight(op: string, { shape, dtype }: Tensor): boolean {
  if (DENSE.has(op)) return true
  if (PRODUCTS.has(op)) return shape.length >= 2
  return op === 'twotower>PoolRows' && dtype === 'float32' && sizeOf(shape) <= SMALL_TABLE
}

const DENSE: ReadonlySet<string> = new Set(['twotower>Dense', 'twotower>DenseInt8'])

/** Ops whose constant matrices are weights; a loop hands them on to the products of its body. */
const PRODUCTS: ReadonlySet<string> = new Set([
  'MatMul',
  'BatchMatMul',
  'BatchMatMulV2',
  'BatchMatMulV3',
  'Einsum',
  'DepthwiseConv2dNative',
  'While',
  'StatelessWhile',
])
