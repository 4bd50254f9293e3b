import { constantOf, type Graph, type ModelDefinition, type OpTable } from '../graph/index.ts'
import { instantiate } from './kernels.ts'
import { type Elements, FIRST_ARENA, Memory } from './memory.ts'
import type { Bind } from './place.ts'
import { graphsOf, residentsOf } from './residents.ts'
import { withKernels } from './table.ts'
import type { KernelChoice } from './variants.ts'

export interface EngineOptions extends KernelChoice {
  /** A table that runs everything in place of the kernels. */
  readonly instead?: OpTable | undefined
  /** Where some of the weights lie already; by default one of the engine's own. Its kernels run one at a time. */
  readonly memory?: Memory | undefined
  /** What binds the kernels of ops that few towers have: `bindingsFor` the ops. */
  readonly bindings?: readonly Bind[]
  /** What is put around all ops: a stopwatch. */
  readonly around?: (ops: OpTable) => OpTable
}

/** Room for the values of a picture or two, which would else be convolved by the reference once, fifty times as slowly. */
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
    { instead, memory, bindings = [], around = (ops) => ops, deterministic = false }: EngineOptions = {},
  ) {
    const graphs = graphsOf(definition)
    this.memory = memory ?? new Memory(FIRST_ARENA)
    if (graphs.some(readsImages)) this.memory.widen(FIRST_ARENA_OF_IMAGES)
    const smallest = deterministic ? 1 : undefined
    const kernels = () => instantiate(module, this.memory.wasm)
    this.ops = around(instead ?? withKernels(reference, kernels(), this.memory, smallest, bindings, graphs))
    this.memory.keep(residentsOf(graphs).map((node) => node.attrs.tensor('value').data as Elements))
  }
}

/** Whether windows of a convolution slide along two dimensions. */
const readsImages = (graph: Graph): boolean =>
  graph.nodes.some(({ op, inputs }) => {
    if (op !== 'Conv2D' && op !== 'DepthwiseConv2dNative') return false
    const filter = constantOf(inputs[1])
    return filter !== null && filter.shape[0] > 1 && filter.shape[1] > 1
  })
