import type { Graph, Port, Signature } from './graph.ts'

/** How the embeddings of two towers are compared. Under `euclidean` the nearest has the smallest value, else the largest. */
export type Metric = 'dot' | 'cosine' | 'euclidean'

/** score = scale · metric(query, candidate) + bias, and its logistic where `sigmoid`. */
export interface Similarity {
  readonly metric: Metric
  readonly scale: number
  readonly bias: number
  readonly sigmoid: boolean
}

/** A similarity in words: `0.05 · dot + 1, logistic`. */
export function inWords({ metric, scale, bias, sigmoid }: Similarity): string {
  // Seven digits are what a float32 of the graph holds.
  const short = (value: number) => String(Number(value.toPrecision(7)))
  const scaled = scale === 1 ? metric : `${short(scale)} · ${metric}`
  const shifted = bias === 0 ? scaled : `${scaled} ${bias < 0 ? '−' : '+'} ${short(Math.abs(bias))}`
  return sigmoid ? `${shifted}, logistic` : shifted
}

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
