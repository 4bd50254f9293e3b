import { CONST, constantOf, type Graph, type ModelDefinition, type OpTable } from '../graph/index.ts'
import { sizeOf, type Tensor } from '../tensor/index.ts'
import { instantiate } from './kernels.ts'
import { Memory } from './memory.ts'
import type { Bind } from './place.ts'
import { SMALL_TABLE } from './pooling.ts'
import { withKernels } from './table.ts'
import type { KernelChoice } from './variants.ts'

export interface EngineOptions extends KernelChoice {
  /** A table that runs everything in place of the kernels. */
  readonly instead?: OpTable | undefined
  /** What binds the kernels of ops that few towers have: `bindingsFor` the ops. */
  readonly bindings?: readonly Bind[]
  /** What is put around all ops: a stopwatch. */
  readonly around?: (ops: OpTable) => OpTable
}

/** Room for the values of small batches; larger batches grow it. */
const FIRST_ARENA = 4 << 20
/** And for the values of a picture or two, which would else be convolved by the reference once, fifty times as slowly. */
const FIRST_ARENA_OF_IMAGES = 64 << 20

/** Kernels on a memory of their own, holding a model's dense weights. */
export class Engine {
  readonly ops: OpTable
  readonly memory: Memory

  /**
   * @param module the compiled kernels: of this package's kernels.wasm, or of kernels-relaxed.wasm
   */
  constructor(
    definition: ModelDefinition,
    reference: OpTable,
    module: WebAssembly.Module,
    { instead, bindings = [], around = (ops) => ops, deterministic = false }: EngineOptions = {},
  ) {
    const { query, candidate } = definition.towers
    const parts = [...definition.signatures, query, candidate].filter((part) => part !== null)
    const graphs = [...new Set(parts.map(({ graph }) => graph))]
    this.memory = new Memory(graphs.some(readsImages) ? FIRST_ARENA_OF_IMAGES : FIRST_ARENA)
    const smallest = deterministic ? 1 : undefined
    const kernels = () => instantiate(module, this.memory.wasm)
    this.ops = around(instead ?? withKernels(reference, kernels(), this.memory, smallest, bindings, graphs))
    this.memory.keep([...new Set(graphs.flatMap(weightsOf))])
  }
}

/** Whether windows of a convolution slide along two dimensions. */
const readsImages = (graph: Graph): boolean =>
  graph.nodes.some(({ op, inputs }) => {
    if (op !== 'Conv2D' && op !== 'DepthwiseConv2dNative') return false
    const filter = constantOf(inputs[1])
    return filter !== null && filter.shape[0] > 1 && filter.shape[1] > 1
  })

/**
 * What stays in linear memory as it is: the weights of dense layers, those of products and of the loops that hold recurrent
 * cells, and small tables that are pooled. Where there is no room a layer runs by the reference.
 */
function weightsOf(graph: Graph): (Float32Array | Int8Array | Int32Array)[] {
  const found: (Float32Array | Int8Array | Int32Array)[] = []
  for (const { op, inputs } of graph.nodes) {
    for (const { node } of inputs) {
      const held = node.op === CONST ? node.attrs.tensor('value') : null
      if (held === null || !isWeight(op, held)) continue
      if (held.dtype === 'float32' || held.dtype === 'int8' || held.dtype === 'int32') found.push(held.data)
    }
  }
  return found
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
