import type { Graph, Node, Port, Value } from '../graph/index.ts'

/** For every node, which of the graph's inputs it depends on, as a set of positions. */
export function dependence(graph: Graph): ReadonlyMap<Node, ReadonlySet<number>> {
  const found = new Map<Node, ReadonlySet<number>>()
  graph.parameters.forEach((node, i) => {
    found.set(node, new Set([i]))
  })
  for (const node of graph.nodes) {
    if (found.has(node)) continue
    const sources = [...node.inputs.map((value) => value.node), ...node.controls].map(
      (source) => found.get(source) ?? NONE,
    )
    found.set(node, union(sources))
  }
  return found
}

const NONE: ReadonlySet<number> = new Set()

/** One of the sets where it holds all others, so that long chains share one set. */
function union(sets: readonly ReadonlySet<number>[]): ReadonlySet<number> {
  let all = NONE
  for (const set of sets) {
    if (all.size === 0) all = set
    else if ([...set].some((item) => !all.has(item))) all = new Set([...all, ...set])
  }
  return all
}

/**
 * The part of `graph` that computes `output`, with only the parameters that it depends on, and their ports. `output` may
 * be of a new node on top of the graph's.
 */
export function subgraph(
  graph: Graph,
  ports: readonly Port[],
  output: Value,
): { readonly graph: Graph; readonly inputs: readonly Port[] } {
  const needed = new Set<Node>()
  const pending = [output.node]
  while (pending.length > 0) {
    const node = pending.pop() as Node
    if (needed.has(node)) continue
    needed.add(node)
    pending.push(...node.inputs.map((value) => value.node), ...node.controls)
  }
  const nodes = graph.nodes.filter((node) => needed.has(node))
  if (nodes.length < needed.size) nodes.push(output.node)
  const kept = graph.parameters.map((node, i) => (needed.has(node) ? i : -1)).filter((i) => i >= 0)
  return {
    graph: {
      parameters: kept.map((i) => graph.parameters[i]),
      nodes,
      outputs: [output],
    },
    inputs: kept.map((i) => ports[i]),
  }
}
