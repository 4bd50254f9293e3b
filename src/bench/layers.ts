import { Attrs, constantOf, type Graph, type Node, PARAMETER, type Port, type Value } from '../graph/index.ts'
import { isWritable } from '../reference/onnx.ts'

/** The dense layers of a graph on their own: what every engine can run, once preprocessing has made numbers. */
export interface Layers {
  /** Its parameters stand for the values of `from`. */
  readonly graph: Graph
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  /** The values of the whole graph that flow in. */
  readonly from: readonly Value[]
  /** The nodes of the whole graph that are part of it. */
  readonly nodes: ReadonlySet<Node>
  /** How many of them multiply by a matrix. */
  readonly count: number
}

/** Ops that multiply by a matrix. */
const PRODUCT = /^(twotower>Dense|twotower>DenseInt8|MatMul|BatchMatMul(V2|V3)?|Einsum|Conv[123]D)$/

/**
 * Cuts the layers off what comes before them: the nodes that lead to the outputs and that ONNX has words for.
 * @returns the layers; in words why there are none, where a graph has none or they are not in one piece
 */
export function layersOf(graph: Graph, outputs: readonly Port[]): Layers | string {
  const nodes = new Set<Node>()
  const from = new Map<Node, Set<number>>()
  const pending = [...graph.outputs]
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    const { node, index } = value
    if (constantOf(value) !== null || nodes.has(node)) continue
    if (index === 0 && isWritable(node)) {
      nodes.add(node)
      pending.push(...node.inputs)
    } else from.set(node, (from.get(node) ?? new Set()).add(index))
  }
  const whole = missing(graph, nodes, from)
  if (whole !== null) return whole
  // In the graph's order, so that the same model is always cut alike.
  const values = graph.nodes.flatMap((node) => [...(from.get(node) ?? [])].sort().map((index) => ({ node, index })))
  const parameters = values.map(
    (_, i): Node => ({ name: `x${i}`, op: PARAMETER, attrs: Attrs.none, inputs: [], controls: [] }),
  )
  const copies = new Map<Node, Node>()
  const now = ({ node, index }: Value): Value => {
    const place = values.findIndex((value) => value.node === node && value.index === index)
    return place >= 0 ? { node: parameters[place], index: 0 } : { node: copies.get(node) as Node, index }
  }
  for (const node of graph.nodes) {
    if (nodes.has(node)) copies.set(node, { ...node, inputs: node.inputs.map(now) })
    else if (constantOf({ node, index: 0 }) !== null) copies.set(node, node)
  }
  const used = new Set([...nodes].flatMap(({ inputs }) => inputs.map(({ node }) => node)))
  const kept = graph.nodes.filter((node) => nodes.has(node) || (used.has(node) && copies.has(node)))
  return {
    graph: {
      parameters,
      nodes: [...parameters, ...kept.map((node) => copies.get(node) as Node)],
      outputs: graph.outputs.map(now),
    },
    inputs: parameters.map(({ name }) => ({ name, dtype: 'float32', shape: null })),
    outputs,
    from: values,
    nodes,
    count: [...nodes].filter(({ op }) => PRODUCT.test(op)).length,
  }
}

/** Why the nodes are not all layers of the graph; null where they are. */
function missing(graph: Graph, nodes: ReadonlySet<Node>, from: ReadonlyMap<Node, unknown>): string | null {
  const products = graph.nodes.filter(({ op }) => PRODUCT.test(op))
  if (products.length === 0) return 'it has no dense layers'
  const bytes = products.find(({ op }) => op === 'twotower>DenseInt8')
  if (bytes !== undefined) return `its layers are in bytes: "${bytes.name}" is int8`
  const outside = products.filter((node) => !nodes.has(node))
  if (outside.length === 0) return null
  // The nearest to the outputs of those that stand in the way.
  const wall = [...graph.nodes].reverse().find((node) => from.has(node) && reaches(node, new Set(outside)))
  return wall === undefined
    ? `the layer "${outside[0].name}" leads to no output`
    : `its dense layers are not in one piece: "${wall.name}" (${wall.op}) comes after one of them, and ONNX is not told how to say it`
}

/** True where `node` is one of `targets` or depends on one. */
function reaches(node: Node, targets: ReadonlySet<Node>): boolean {
  const seen = new Set<Node>()
  const pending = [node]
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    if (targets.has(at)) return true
    if (seen.has(at)) continue
    seen.add(at)
    pending.push(...at.inputs.map((value) => value.node))
  }
  return false
}
