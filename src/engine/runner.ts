import { type Graph, type Port, Program } from '../graph/index.ts'
import { type Tensor, withoutDenormals } from '../tensor/index.ts'
import { discerns } from './denormals.ts'
import type { Engine } from './engine.ts'
import type { Features } from './inputs.ts'
import type { Planned } from './planned.ts'

/** A graph that is run over and over; from the third time on by plans, where there are any. */
export class Runner {
  private readonly engine: Engine
  private readonly ports: readonly Port[]
  private readonly program: Program
  private readonly discerns: boolean
  private planned: Planned | null = null
  private runs = 0

  /** @param ports the graph's inputs, as they are named */
  constructor(graph: Graph, ports: readonly Port[], engine: Engine) {
    this.engine = engine
    this.ports = ports
    this.program = new Program(graph, engine.ops, engine.memory.large)
    this.discerns = discerns(graph)
  }

  /** The outputs as they lie in memory, valid until the next call. */
  run(inputs: readonly Tensor[]): readonly Tensor[] {
    const { engine, program, ports } = this
    const given = this.discerns ? inputs.map(withoutDenormals) : inputs
    if (this.planned === null && ++this.runs > 1) {
      // Nobody waits for it.
      if (engine.planner === null) void engine.loadPlanner()
      else this.planned = engine.planner.of(program, this.discerns ? null : ports)
    }
    if (this.planned !== null) return this.planned.run(given)
    return engine.memory.run(() => program.run(given))
  }

  /** The same of features as they come, where they are arrays as in the run before and a plan takes them so; null else. */
  again(features: Features): readonly Tensor[] | null {
    return this.planned === null ? null : this.planned.again(features)
  }
}
