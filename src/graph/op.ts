import type { CorruptModelError } from '../errors.ts'
import type { Tensor, TensorOf } from '../tensor/index.ts'
import type { Attrs } from './attrs.ts'
import type { Graph, Node } from './graph.ts'

/** One evaluation of a node: what its op reads. */
export interface Call {
  readonly inputs: readonly Tensor[]
  readonly attrs: Attrs
  readonly node: Node
  /** Files that the graph may read, by the path that it holds: the export's assets. */
  readonly files: Files
  /** Evaluates a function attribute (a branch, a loop's body). */
  run(graph: Graph, inputs: readonly Tensor[]): Tensor[]
}

/** Bytes by path. A file that cannot be read is the error that says why: only an op that needs it throws it. */
export type Files = ReadonlyMap<string, Uint8Array | CorruptModelError>

/** Names of an op's output arguments; an argument that is a list says how many tensors it holds. */
export type OutputNames = readonly string[] | ((attrs: Attrs) => readonly (readonly [name: string, count: number])[])

/** What an op means. The entry's doc names the TensorFlow kernel whose behaviour it follows. */
export interface Op {
  /** Only where there are several outputs: function bodies refer to them by name. */
  readonly outputs?: OutputNames
  /** Must run whenever the graph runs, even when nobody reads its outputs: it refuses, or changes what outlives the run. */
  readonly effect?: 'assertion' | 'change'
  /** The answer depends on more than inputs and attributes (state, chance), so it is never folded into a constant. */
  readonly stateful?: true
  /** For the ops that make a resource (VarHandleOp, HashTableV2): the handle of a new one. Inputs that are no constants are null. */
  readonly resource?: (name: string, attrs: Attrs, inputs: readonly (Tensor | null)[]) => TensorOf<'resource'>
  /**
   * Loads what evaluating a node with these attributes takes and few nodes need, a library above all; awaited before the
   * node runs. Without attributes: whatever any node of this op may take.
   */
  readonly prepare?: (attrs?: Attrs) => Promise<unknown> | undefined
  /**
   * The output, or all outputs in order; undefined is a dead output (TF1 Switch).
   * @throws {InvalidArgumentError} where TensorFlow's kernel refuses the inputs
   */
  evaluate(call: Call): Tensor | readonly (Tensor | undefined)[]
}

/** Ops by TensorFlow's names. */
export type OpTable = ReadonlyMap<string, Op>
