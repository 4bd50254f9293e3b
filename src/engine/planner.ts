import { type Graph, type Held, type Op, type OpTable, type Port, Program } from '../graph/index.ts'
import { type Shape, sizeOf, type TensorOf, tensor } from '../tensor/index.ts'
import type { Kernels } from './kernels.ts'
import { RESHAPES } from './layers.ts'
import type { Memory } from './memory.ts'
import { type Copy, Plan } from './plan.ts'
import { Planned } from './planned.ts'

type Kernel = (...numbers: number[]) => unknown

/** Writes plans: runs a graph by kernels that note how they are called, and lets no number come from elsewhere. */
export class Planner {
  private readonly memory: Memory
  private readonly tableOf: () => OpTable
  /** Made with the first plan. */
  private ops: OpTable | null = null
  private calls: (() => void)[] = []

  /** @param tableOf the engine's op table with kernels in place of a reference */
  constructor(
    reference: OpTable,
    kernels: Kernels,
    memory: Memory,
    tableOf: (reference: OpTable, kernels: Kernels) => OpTable,
  ) {
    this.memory = memory
    this.tableOf = () => {
      const noting = this.noting(kernels)
      const others = [...reference].map(([name, op]) => [name, RESHAPES.has(name) ? sharing(op) : UNPLANNED] as const)
      return tableOf(new Map(others), noting)
    }
  }

  private noting(kernels: Kernels): Kernels {
    const noted = Object.entries(kernels as unknown as { readonly [name: string]: Kernel }).map(([name, kernel]) => {
      const note: Kernel = (...numbers) => {
        this.calls.push(callOf(kernel, numbers))
        return kernel(...numbers)
      }
      return [name, note] as const
    })
    return Object.fromEntries(noted) as unknown as Kernels
  }

  /** @param ports the program's inputs, where it may be given arrays as they come */
  of(program: Program, ports: readonly Port[] | null): Planned {
    return new Planned(program, ports, this, this.memory)
  }

  /**
   * The plan of a graph's last steps. No run may be on its way. Null where some op does not run by its kernel, or has no room.
   * @param first the step that it begins with
   * @param given the slots that it reads, and the shapes of what lies there
   * @param made the slots of its results
   */
  plan(
    graph: Graph,
    first: number,
    given: readonly number[],
    shapes: readonly Shape[],
    made: readonly number[],
  ): Plan | null {
    const { memory } = this
    this.ops ??= this.tableOf()
    memory.begin()
    this.calls = []
    const copies: Copy[] = []
    const zeros = shapes.map((shape) => new Float32Array(sizeOf(shape)))
    memory.copied = (values, at) => {
      const input = zeros.indexOf(values as Float32Array<ArrayBuffer>)
      copies.push({ from: input < 0 ? values : input, at })
    }
    try {
      const program = new Program(graph, this.ops)
      const values = program.start([])
      for (const [i, slot] of given.entries()) values[slot] = tensor('float32', shapes[i], zeros[i])
      program.go(values, first, program.steps.length)
      const results = made.map((slot) => values[slot]).filter(isFloats)
      return results.length === made.length && results.every(({ data }) => memory.holds(data))
        ? new Plan(memory, copies, this.calls, results)
        : null
    } catch {
      // What is wrong the run says that follows.
      return null
    } finally {
      memory.copied = null
    }
  }
}

const isFloats = (t: Held): t is TensorOf<'float32'> => t?.dtype === 'float32'

/** A call with all its numbers; no kernel has more, and what one does not have it does not look at. */
function callOf(kernel: Kernel, numbers: readonly number[]): () => void {
  const [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = numbers
  return () => kernel(a, b, c, d, e, f, g, h, i, j, k, l, m, n)
}

/** In place of the reference's ops: what they computed would be of the inputs that the plan was written for. */
const UNPLANNED: Op = {
  evaluate() {
    throw new Error('has no kernel for this')
  },
}

const sharing = (op: Op): Op => ({
  evaluate(call) {
    const result = op.evaluate(call)
    return 'data' in result && result.data === call.inputs[0].data ? result : UNPLANNED.evaluate(call)
  },
})
