import type { Call, Graph, Node, Op } from '../graph/index.ts'
import type { Kernels } from './kernels.ts'
import type { Memory } from './memory.ts'

// How kernels come in the place of ops.

/** Puts a kernel in place of an op: `run` gives null for what is the reference's. */
export type Place = (
  name: string,
  run: (call: Call, reference: Op['evaluate']) => ReturnType<Op['evaluate']> | null,
) => void

/** Places the kernels of some ops, and makes ready what they need of the graphs to be run. */
export type Bind = (place: Place, memory: Memory, kernels: Kernels, smallest: number, graphs: readonly Graph[]) => void

/** Below this many elements a call into wasm and the copies cost more than a loop here. */
export const SMALLEST = 32

/** What `read` finds of a node, read at its first call only: each run calls the same nodes again. */
export function oncePerNode<T extends object | null>(read: (call: Call) => T): (call: Call) => T {
  const known = new WeakMap<Node, T>()
  return (call) => {
    let found = known.get(call.node)
    if (found === undefined) {
      found = read(call)
      known.set(call.node, found)
    }
    return found
  }
}
