// What an index holds of an item and what a query asks of it, in the names of Vertex AI Vector Search (IndexDatapoint,
// FindNeighborsRequest), so that its files and requests need no translation.

import type { ApproximateOptions } from './approximate/options.ts'

/** One item of an index. */
export interface Datapoint {
  readonly id: string
  /** float32[width] */
  readonly embedding: Float32Array
  /** A namespace that is named twice has the tokens of both. */
  readonly restricts?: readonly Restrict[]
  /** At most one a namespace. */
  readonly numericRestricts?: readonly NumericRestrict[]
  /** Items of one tag crowd each other; see `SearchOptions.perCrowdingTag`. */
  readonly crowdingTag?: string
}

/**
 * Tokens within a namespace. An item and a query match there where the query allows nothing, or allows a token that the
 * item allows (an item without the namespace allows none); and where neither denies a token that the other allows. All of
 * a query's namespaces must match; those that it does not name do not matter. So says "Filter vector matches" in Vector
 * Search's documentation (cloud.google.com/vertex-ai/docs/vector-search/filtering): a query's empty namespace matches
 * everything, an item's does not; a token that one side denies shuts out the other that names it.
 */
export interface Restrict {
  readonly namespace: string
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
}

/**
 * A number within a namespace: `int` is an int64 and exact, `float` a float32, to which both sides are rounded before they
 * are compared, `double` a float64. Numbers of different types never match.
 */
export type NumericRestrict =
  | { readonly namespace: string; readonly type: 'int'; readonly value: bigint }
  | { readonly namespace: string; readonly type: 'float' | 'double'; readonly value: number }

export type Comparison = 'LESS' | 'LESS_EQUAL' | 'EQUAL' | 'GREATER_EQUAL' | 'GREATER' | 'NOT_EQUAL'

/**
 * Holds for items whose number in the namespace, of the same type, compares so with the value, as IndexDatapoint's
 * NumericRestriction.Operator has it; never where there is none, not even by NOT_EQUAL.
 */
export type NumericCondition = NumericRestrict & { readonly op: Comparison }

/** Which items a query may find: those for which all of it holds. */
export interface Filter {
  readonly restricts?: readonly Restrict[]
  readonly numericRestricts?: readonly NumericCondition[]
  /** Nothing but these ids. */
  readonly include?: readonly string[] | ReadonlySet<string>
  /** None of these ids: what the user has seen. */
  readonly exclude?: readonly string[] | ReadonlySet<string>
}

export interface SearchOptions {
  /** How many items are wanted; fewer come where fewer match. */
  readonly k: number
  readonly filter?: Filter
  /**
   * At most so many items of one crowding tag: the k best of those items that have fewer than so many matching items of
   * their own tag ranked before them. Items without a tag do not crowd. By default any number.
   */
  readonly perCrowdingTag?: number
  /**
   * Nearly all of the best in a share of the time, where the index has partitions (`ItemIndex.partition`); else, and by
   * default, exactly the best.
   */
  readonly approximate?: boolean | ApproximateOptions
}
