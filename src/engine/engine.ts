import { CONST, type Graph, type ModelDefinition, type OpTable } from '../graph/index.ts'
import { instantiate } from './kernels.ts'
import { Memory } from './memory.ts'
import { withKernels } from './table.ts'
import type { KernelChoice } from './variants.ts'

export interface EngineOptions extends KernelChoice {
  /** A table that runs everything in place of the kernels. */
  readonly instead?: OpTable | undefined
  /** What is put around all ops: a stopwatch. */
  readonly around?: (ops: OpTable) => OpTable
}

/** Room for the values of small batches; larger batches grow it. */
const FIRST_ARENA = 4 << 20

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
    { instead, around = (ops) => ops, deterministic = false }: EngineOptions = {},
  ) {
    this.memory = new Memory(FIRST_ARENA)
    const kernels = () => instantiate(module, this.memory.wasm)
    this.ops = around(instead ?? withKernels(reference, kernels(), this.memory, deterministic ? 1 : undefined))
    const { query, candidate } = definition.towers
    for (const { graph } of [...definition.signatures, query, candidate].filter((part) => part !== null))
      this.keepWeights(graph)
  }

  /** The arrays of dense layers stay in linear memory; a layer for which there is no room runs by the reference. */
  private keepWeights(graph: Graph): void {
    for (const node of graph.nodes) {
      if (node.op !== 'twotower>Dense' && node.op !== 'twotower>DenseInt8') continue
      for (const value of node.inputs.slice(1)) {
        const held = value.node.op === CONST ? value.node.attrs.tensor('value') : null
        if (held?.dtype === 'float32' || held?.dtype === 'int8' || held?.dtype === 'int32') this.memory.keep(held.data)
      }
    }
  }
}
