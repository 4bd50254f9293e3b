import { functionsOf } from './attrs.ts'
import { constantOf } from './constants.ts'
import { type Graph, type Node, outputCounts, type Value } from './graph.ts'
import type { OpTable } from './op.ts'
import type { Resource } from './resources.ts'

/** What a rewriting may do with a node besides looking at it. */
export interface Rewriting {
  /** The node as the graph had it, before any of its inputs were replaced. */
  readonly old: Node
  /** Puts a new node into the graph, before the one that is decided about; once, however often it is called. */
  emit(node: Node): Node
  /** What an old value is now. */
  now(value: Value): Value
}

/**
 * A copy of `graph` in which `replace` decides about every node, in order: null keeps it (with its inputs already
 * replaced), a list of values stands for its outputs from then on.
 */
export function rewrite(graph: Graph, replace: (node: Node, rewriting: Rewriting) => readonly Value[] | null): Graph {
  const nodes: Node[] = []
  const emitted = new Set<Node>()
  const replaced = new Map<Node, readonly Value[]>()
  const now = (value: Value): Value => replaced.get(value.node)?.[value.index] ?? value
  const emit = (node: Node): Node => {
    if (!emitted.has(node)) {
      emitted.add(node)
      nodes.push(node)
    }
    return node
  }
  for (const old of graph.nodes) {
    const inputs = old.inputs.map(now)
    const controls = old.controls.map((control) => replaced.get(control)?.[0]?.node ?? control)
    const same = inputs.every((v, i) => v === old.inputs[i]) && controls.every((c, i) => c === old.controls[i])
    const node = same ? old : { ...old, inputs, controls }
    const values = replace(node, { old, emit, now })
    if (values !== null) replaced.set(old, values)
    else {
      emit(node)
      if (node !== old) replaced.set(old, outputsOf(node, old, graph))
    }
  }
  return { parameters: graph.parameters, nodes, outputs: graph.outputs.map(now) }
}

/** Values for all outputs of `node` that somebody reads as those of `old`. */
function outputsOf(node: Node, old: Node, graph: Graph): Value[] {
  const counts = COUNTS.get(graph) ?? outputCounts(graph)
  COUNTS.set(graph, counts)
  return Array.from({ length: counts.get(old) ?? 1 }, (_, index) => ({ node, index }))
}

const COUNTS = new WeakMap<Graph, ReadonlyMap<Node, number>>()

/** `graph` without the nodes that neither an output nor an effect needs. Parameters stay. */
export function prune(graph: Graph, ops: OpTable): Graph {
  const needed = new Set<Node>(graph.parameters)
  const pending: Node[] = graph.outputs.map((value) => value.node)
  for (const node of graph.nodes) if (hasEffect(node, ops)) pending.push(node)
  while (pending.length > 0) {
    const node = pending.pop() as Node
    if (needed.has(node)) continue
    needed.add(node)
    for (const value of node.inputs) pending.push(value.node)
    pending.push(...node.controls)
  }
  return { ...graph, nodes: graph.nodes.filter((node) => needed.has(node)) }
}

function isVariable(value: Value): boolean {
  const held = constantOf(value)
  return held?.dtype === 'resource' && (held.data[0] as Resource).kind === 'variable'
}

/** True where `node`, or a node of one of its functions, must run whenever the graph runs: an assertion in a branch. */
function hasEffect(node: Node, ops: OpTable): boolean {
  const op = ops.get(node.op)
  return (
    op?.effect !== undefined ||
    // What is not known may change the variable that it is given: it is refused, never left out.
    (op === undefined && node.inputs.some(isVariable)) ||
    functionsOf(node).some((graph) => graph.nodes.some((inner) => hasEffect(inner, ops)))
  )
}
