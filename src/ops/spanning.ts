import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import { ARRAYS, type Tensor, type TensorOf, tensor } from '../tensor/index.ts'
import { integers } from './integers.ts'

// The heaviest tree over a directed graph, after tensorflow_text's core/kernels/mst_op_kernels.cc and mst_solver.h: Tarjan's
// way of contracting cycles. Nodes count from 1; 0 is the root that stands above all.

interface Arc {
  readonly source: number
  readonly target: number
  readonly score: number
}

/** A score as its dtype holds it. */
type Rounded = (score: number) => number

/**
 * The arc into each node but the root, in their order.
 * @param into the arcs into each node, by source
 * @throws {InvalidArgumentError} where no tree reaches all
 */
function heaviest(into: (Arc | undefined)[][], rounded: Rounded): Arc[] {
  const count = into.length
  const parts = Array.from({ length: count }, (_, node) => node)
  const cluster = Array.from({ length: 2 * count }, (_, node) => node)
  const strong = Array.from({ length: count }, (_, node) => node)
  const root = (forest: number[], node: number): number => (forest[node] === node ? node : root(forest, forest[node]))
  const best: Arc[] = []
  const contracted: number[] = []
  for (let target = 1; target < into.length; target++) {
    let chosen: Arc | undefined
    // The last source of those that are equal.
    for (const arc of into[target])
      if (arc !== undefined && (chosen === undefined || arc.score >= chosen.score)) chosen = arc
    if (chosen === undefined) throw new InvalidArgumentError('Infeasible digraph')
    best[target] = chosen
    // Nothing leads to the root, so no cycle goes through it.
    if (chosen.source === 0) continue
    const [from, to] = [root(parts, chosen.source), root(parts, chosen.target)]
    if (from !== to) {
      parts[from] = to
      continue
    }
    // The arc closes a cycle: all of it becomes one node more, into which the arcs from outside lead.
    const made = into.length
    const cycle: number[] = []
    for (let node = target; node !== made; ) {
      cycle.push(node)
      const arc = best[node]
      strong[root(strong, arc.source)] = root(strong, arc.target)
      const next = root(cluster, arc.source)
      cluster[node] = made
      contracted[node] = made
      node = next
    }
    const merged: (Arc | undefined)[] = []
    for (const node of cycle) {
      for (let source = 0; source < count; source++) {
        const arc = into[node][source]
        if (arc === undefined || root(strong, arc.source) === root(strong, arc.target)) continue
        const score = rounded(arc.score - best[node].score)
        const known = merged[source]
        if (known === undefined || known.score < score) merged[source] = { ...arc, score }
      }
    }
    into.push(Array.from({ length: count }, (_, source) => merged[source]))
  }
  // From the last cycle to the first: the arc into a cycle takes the place of the one within it.
  for (let node = into.length - 1; node >= count; node--) {
    const arc = best[node]
    for (let inner = arc.target; inner !== node && inner !== undefined; inner = contracted[inner]) best[inner] = arc
  }
  return best.slice(1, count)
}

const spanning: Op = {
  outputs: ['max_scores', 'argmax_sources'],
  evaluate(call) {
    const counts = integers(call, 0, 'num_nodes')
    const scores = call.inputs[1] as TensorOf<'float32' | 'float64' | 'int32'>
    const { dtype, shape, data } = scores
    const [batch, most] = shape
    if (call.inputs[0].shape.length !== 1 || shape.length !== 3 || counts.length !== batch || shape[2] !== most) {
      throw new InvalidArgumentError(
        `num_nodes must be [batch] and scores [batch, nodes, nodes], got [${call.inputs[0].shape}] and [${shape}]`,
      )
    }
    const rounded: Rounded = dtype === 'int32' ? (x) => x | 0 : dtype === 'float32' ? Math.fround : (x) => x
    const forest = call.attrs.boolean('forest', false)
    const sums = new ARRAYS[dtype](batch)
    const sources = new Int32Array(batch * most).fill(-1)
    counts.forEach((count, i) => {
      if (count < 1 || count > most)
        throw new InvalidArgumentError(`digraph ${i} must have 1 to ${most} nodes, got ${count}`)
      const at = (target: number, source: number) => data[(i * most + target) * most + source]
      // An arc from a node to itself is one from the root.
      const into: (Arc | undefined)[][] = [[]]
      const known: number[] = []
      for (let target = 0; target < count; target++) {
        const arcs = new Array<Arc | undefined>(count + 1).fill(undefined)
        for (let source = 0; source < count; source++) {
          const score = at(target, source)
          if (!Number.isFinite(score)) continue
          known.push(score)
          const from = source === target ? 0 : source + 1
          arcs[from] = { source: from, target: target + 1, score }
        }
        into.push(arcs)
      }
      if (!forest && known.length > 0) {
        // Roots so dear that a tree has but one, where one suffices.
        const spread = known.reduce((a, b) => Math.max(a, b)) - known.reduce((a, b) => Math.min(a, b))
        const penalty = rounded(1 + rounded((count + 1) * rounded(spread)))
        for (const arcs of into) {
          const [arc] = arcs
          if (arc !== undefined) arcs[0] = { ...arc, score: rounded(arc.score - penalty) }
        }
      }
      const best = heaviest(into, rounded)
      const roots = best.filter((arc) => arc.source === 0).length
      if (!forest && roots !== 1) throw new InvalidArgumentError(`Infeasible digraph: ${roots} roots`)
      let sum = 0
      for (let target = 0; target < count; target++) {
        const { source } = best[target]
        const kept = source === 0 ? target : source - 1
        sources[i * most + target] = kept
        sum = rounded(sum + at(target, kept))
      }
      sums[i] = sum
    })
    return [{ dtype, shape: [batch], data: sums } as Tensor, tensor('int32', [batch, most], sources)]
  },
}

export const ops: Readonly<Record<string, Op>> = {
  MaxSpanningTree: spanning,
}
