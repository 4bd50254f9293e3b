import type { GrowingFile } from '../embed/sink.ts'
import type { Similarity } from '../graph/index.ts'
import type { Datapoint } from '../search/datapoint.ts'

/** What is known of the items before the first comes. */
export interface ExportPlan {
  /** How many there are. */
  readonly size: number
  /** Numbers of a vector. */
  readonly width: number
  /** How they are compared with queries. */
  readonly similarity: Similarity
  /** What the items are called where they need a name: a table's. */
  readonly name: string
}

/** Writes items in one format; no more than a stretch of them is held. */
export interface ExportSink {
  /** @throws {RangeError} for what the format cannot hold */
  write(datapoint: Datapoint): Promise<void> | void
  /** Writes what belongs to the end. */
  end(): Promise<void>
}

/** A way to write items. */
export interface ExportFormat {
  /** The paths of its files: the one that was asked for, and what lies beside it. */
  paths(path: string): readonly string[]
  /** @throws {RangeError} where items that are compared so cannot be written */
  sink(files: readonly GrowingFile[], plan: ExportPlan): ExportSink
}
