// What an index holds of an item and what a query asks of it, in the names of Vertex AI Vector Search (IndexDatapoint,
// FindNeighborsRequest), so that its files and requests need no translation.

/** One item of an index. */
export interface Datapoint {
  readonly id: string
  /** float32[width] */
  readonly embedding: Float32Array
  /** At most one a namespace. */
  readonly restricts?: readonly Restrict[]
  /** At most one a namespace. */
  readonly numericRestricts?: readonly NumericRestrict[]
  /** Items of one tag crowd each other; see `SearchOptions.perCrowdingTag`. */
  readonly crowdingTag?: string
}

/**
 * Tokens within a namespace. An item and a query match in a namespace where the query allows nothing there, or allows a
 * token that the item allows; and where neither denies a token that the other allows. All of a query's namespaces must
 * match; those that it does not name do not matter.
 */
export interface Restrict {
  readonly namespace: string
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
}

/** A number within a namespace: `int` is an int64 and exact, `float` a float32, `double` a float64. */
export type NumericRestrict =
  | { readonly namespace: string; readonly type: 'int'; readonly value: bigint }
  | { readonly namespace: string; readonly type: 'float' | 'double'; readonly value: number }

export type Comparison = 'LESS' | 'LESS_EQUAL' | 'EQUAL' | 'GREATER_EQUAL' | 'GREATER' | 'NOT_EQUAL'

/** Holds for items whose number in the namespace, of the same type, compares so with the value; never where there is none. */
export type NumericCondition = NumericRestrict & { readonly op: Comparison }

/** Which items a query may find: those for which all of it holds. */
export interface Filter {
  readonly restricts?: readonly Restrict[]
  readonly numericRestricts?: readonly NumericCondition[]
  /** Nothing but these ids. */
  readonly include?: Iterable<string>
  /** None of these ids: what the user has seen. */
  readonly exclude?: Iterable<string>
}

export interface SearchOptions {
  /** How many items are wanted; fewer come where fewer match. */
  readonly k: number
  readonly filter?: Filter
  /** At most so many items of one crowding tag; items without a tag do not crowd. By default any number. */
  readonly perCrowdingTag?: number
}
