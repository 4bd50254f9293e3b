import type { ModelDefinition, OpTable } from '../graph/index.ts'
import { instantiate, type Kernels } from './kernels.ts'
import { type Elements, FIRST_ARENA, Memory } from './memory.ts'
import type { Bind } from './place.ts'
import type { Planner } from './planner.ts'
import { graphsOf, residentsOf } from './residents.ts'
import { withKernels } from './table.ts'
import { tilesLater } from './tiles.ts'
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

/** Kernels on a memory of their own, holding a model's dense weights. */
export class Engine {
  readonly ops: OpTable
  readonly memory: Memory
  /** What writes plans, once it is loaded: a start needs none. */
  planner: Planner | null = null
  /** Null where ops are watched or run otherwise, or use the room of values again. */
  private readonly makePlanner: (() => Promise<Planner>) | null
  private loading: Promise<void> | null = null

  /**
   * @param module the compiled kernels: of this package's kernels.wasm, or of kernels-relaxed.wasm
   */
  constructor(
    definition: ModelDefinition,
    reference: OpTable,
    module: WebAssembly.Module,
    { instead, memory, bindings = [], around, deterministic = false }: EngineOptions = {},
  ) {
    const graphs = graphsOf(definition)
    this.memory = memory ?? new Memory(FIRST_ARENA)
    const smallest = deterministic ? 1 : undefined
    const kernels = instantiate(module, this.memory.wasm, this.memory.rows, tilesLater(this.memory))
    const tableOf = (ops: OpTable, by: Kernels) => withKernels(ops, by, this.memory, smallest, bindings, graphs)
    const ops = instead ?? tableOf(reference, kernels)
    this.ops = around?.(ops) ?? ops
    const isPlain = instead === undefined && around === undefined && this.memory.large === null
    this.makePlanner = isPlain
      ? async () => new (await import('./planner.ts')).Planner(reference, kernels, this.memory, tableOf)
      : null
    this.memory.keep(residentsOf(graphs).map((node) => node.attrs.tensor('value').data as Elements))
  }

  /** Loads what writes plans, once. Where it cannot be had there are none, which changes no answer. */
  loadPlanner(): Promise<void> {
    this.loading ??= (async () => {
      try {
        this.planner = (await this.makePlanner?.()) ?? null
      } catch {}
    })()
    return this.loading
  }
}
