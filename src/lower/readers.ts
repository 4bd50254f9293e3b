import type { Graph, Node } from '../graph/index.ts'

/** Who reads what in a graph. */
export interface Readers {
  /** The node that alone reads output 0 of `node`, where nothing else does and it is no output of the graph; else null. */
  only(node: Node): Node | null
}

export function readers(graph: Graph): Readers {
  const found = new Map<Node, Node[]>()
  const add = (node: Node, reader: Node) => {
    const known = found.get(node)
    if (known === undefined) found.set(node, [reader])
    else known.push(reader)
  }
  for (const node of graph.nodes) {
    for (const value of node.inputs) add(value.node, node)
    for (const control of node.controls) add(control, node)
  }
  const outputs = new Set(graph.outputs.map((value) => value.node))
  return {
    only(node) {
      const all = found.get(node)
      return all?.length === 1 && !outputs.has(node) && all[0].controls.length === 0 ? all[0] : null
    },
  }
}
