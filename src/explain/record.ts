import { type Call, type Graph, type Node, type Op, type OpTable, Program } from '../graph/index.ts'
import type { Tensor } from '../tensor/index.ts'

/** What a node took and gave when it last ran. */
export interface Seen {
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly (Tensor | undefined)[]
}

/** What every node of a graph took and gave, and the graph's own outputs. */
export interface Recording {
  readonly nodes: ReadonlyMap<Node, Seen>
  readonly outputs: readonly Tensor[]
  readonly ops: OpTable
}

/** Runs `graph` once and keeps what lies between: the evaluator is the plain one, its ops take notes. */
export function record(graph: Graph, inputs: readonly Tensor[], ops: OpTable): Recording {
  const nodes = new Map<Node, Seen>()
  graph.parameters.forEach((node, i) => {
    nodes.set(node, { inputs: [], outputs: [inputs[i]] })
  })
  const noting = (op: Op): Op => ({
    ...op,
    evaluate(call: Call) {
      const result = op.evaluate(call)
      nodes.set(call.node, { inputs: call.inputs, outputs: 'dtype' in result ? [result] : result })
      return result
    },
  })
  const table = new Map([...ops].map(([name, op]) => [name, noting(op)]))
  return { outputs: new Program(graph, table).run(inputs), nodes, ops }
}
