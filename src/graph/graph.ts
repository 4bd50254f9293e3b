import type { DType, Tensor } from '../tensor/index.ts'
import type { Attrs } from './attrs.ts'

/** A dimension that is only known when a batch comes is null. */
export type Dim = number | null
/** What is known of a tensor before it is computed; `shape` null where not even the rank is known. */
export interface TensorType {
  readonly dtype: DType
  readonly shape: readonly Dim[] | null
}

/** The `index`-th output of `node`. */
export interface Value {
  readonly node: Node
  readonly index: number
}

/** One operation of a graph. Its semantics are those of the op table's entry `op`. */
export interface Node {
  /** The name in the export, with the calls that it was inlined from: `StatefulPartitionedCall/dense/MatMul`. */
  readonly name: string
  readonly op: string
  readonly attrs: Attrs
  readonly inputs: readonly Value[]
  /** Nodes of a conditional branch (TF1 Switch): where one of them is dead, so is this node. */
  readonly controls: readonly Node[]
}

/** A named end of a graph. */
export interface Port extends TensorType {
  readonly name: string
  /** What an input is when the caller leaves it out. */
  readonly fallback?: Tensor
  /** Of an input that is a serialized tf.Example: the features that it is read for. Callers may give these by name. */
  readonly features?: Readonly<Record<string, DType>>
}

/**
 * A function from tensors to tensors. `nodes` is in an order that respects data and the export's control dependencies;
 * `parameters` are among them (op `Parameter`), one for each input.
 */
export interface Graph {
  readonly parameters: readonly Node[]
  readonly nodes: readonly Node[]
  readonly outputs: readonly Value[]
}

/** How many outputs of each node somebody reads, so at least how many it has; 1 of one that nobody reads. */
export function outputCounts(graph: Graph): ReadonlyMap<Node, number> {
  const counts = new Map<Node, number>()
  const read = ({ node, index }: Value) => counts.set(node, Math.max(counts.get(node) ?? 1, index + 1))
  for (const { inputs } of graph.nodes) inputs.forEach(read)
  graph.outputs.forEach(read)
  return counts
}

/** The op of a graph's inputs; a caller's tensor takes its place. */
export const PARAMETER = 'Parameter'
/** The op of constants: their tensor is the attribute `value`. */
export const CONST = 'Const'

/** A graph with names and types for its inputs and outputs, as the export declares them. */
export interface Signature {
  readonly name: string
  /** For example `tensorflow/serving/predict`; empty where the export does not say. */
  readonly method: string
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  readonly graph: Graph
}
