import type { Graph, Port, Signature } from './graph.ts'
import type { Similarity } from './similarity.ts'

/** One tower: the part of a signature that computes an embedding from its own features alone. */
export interface TowerDefinition {
  /** The signature that it was found in. */
  readonly signature: string
  readonly inputs: readonly Port[]
  /** The embedding, `[rows, width]`. */
  readonly output: Port
  /** One parameter an input, one output. */
  readonly graph: Graph
}

/** The two towers of a model, as far as it has them, and what is known of how they are joined. */
export interface Towers {
  readonly query: TowerDefinition | null
  readonly candidate: TowerDefinition | null
  /** Null where neither the graph nor the user says it: then scoring is refused. */
  readonly similarity: Similarity | null
  /** A signature that scores by itself: the only way to score where no similarity separates the towers. */
  readonly joint: { readonly signature: string; readonly output: string } | null
  /** What was found and why, in words. */
  readonly notes: readonly string[]
}

/** Everything that an engine needs to run a model: what `import/` and `towers/` make and the flat bundle holds. */
export interface ModelDefinition {
  /** For messages: where the model came from. */
  readonly source: string
  readonly signatures: readonly Signature[]
  readonly towers: Towers
  /** Declared preprocessing of raw features (preprocess.json), as it was written. */
  readonly preprocess?: unknown
}
