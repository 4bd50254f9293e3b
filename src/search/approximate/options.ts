/** How partitions are made. Names with a counterpart in Vector Search's treeAhConfig, or in ScaNN, are theirs. */
export interface PartitionOptions {
  /** Items of a partition, about. By default √n / 4, so that there are 4 √n partitions. */
  readonly leafNodeEmbeddingCount?: number
  /**
   * The share of the partitions that a query looks into at most where it says nothing else, over 0 up to 1. By default 0.04, or
   * as much as 32 of them are.
   */
  readonly fractionLeafNodesToSearch?: number
  /**
   * ScaNN's anisotropic_quantization_threshold, from 0 (errors along an item count as those across it) to less than 1; of
   * no effect on distances. By default 0.2, as there.
   */
  readonly anisotropicQuantizationThreshold?: number
  /** Rounds of k-means. By default 8. */
  readonly iterations?: number
  /** The same seed makes the same partitions. */
  readonly seed?: number
}

/** How a query looks through them. */
export interface ApproximateOptions {
  /** The share of the partitions to look into at most, over 0 up to 1; by default what the partitions were made with. */
  readonly fractionLeafNodesToSearchOverride?: number
  /**
   * Items that are kept by their codes and then measured; by default 100 + 10 k, of which those are not measured that their
   * codes all but rule out.
   */
  readonly approximateNeighborCount?: number
}

/** The share of `leaves` that is looked into where nothing is said. */
export const fractionOf = (leaves: number): number => Math.min(1, Math.max(0.04, 32 / Math.max(1, leaves)))
export const THRESHOLD = 0.2
export const ITERATIONS = 8
/** How many items are measured at most where nothing is said. */
export const measuredFor = (k: number): number => 100 + 10 * k

/** @throws {RangeError} where one is out of its range */
export function checkPartitionOptions(options: PartitionOptions): void {
  const { leafNodeEmbeddingCount: count, anisotropicQuantizationThreshold: threshold = 0, iterations = 1 } = options
  if (count !== undefined && !(count >= 1))
    throw new RangeError(`leafNodeEmbeddingCount must be 1 or more, got ${count}`)
  if (!(threshold >= 0 && threshold < 1))
    throw new RangeError(`anisotropicQuantizationThreshold must be from 0 to less than 1, got ${threshold}`)
  if (!Number.isInteger(iterations) || iterations < 0)
    throw new RangeError(`iterations must be a whole number, got ${iterations}`)
  checkFraction('fractionLeafNodesToSearch', options.fractionLeafNodesToSearch)
}

/** @throws {RangeError} where one is out of its range */
export function checkApproximateOptions({
  fractionLeafNodesToSearchOverride: fraction,
  approximateNeighborCount: count,
}: ApproximateOptions): void {
  checkFraction('fractionLeafNodesToSearchOverride', fraction)
  if (count !== undefined && !(Number.isInteger(count) && count >= 1))
    throw new RangeError(`approximateNeighborCount must be a positive integer, got ${count}`)
}

function checkFraction(name: string, fraction: number | undefined): void {
  if (fraction !== undefined && !(fraction > 0 && fraction <= 1))
    throw new RangeError(`${name} must be over 0 and at most 1, got ${fraction}`)
}
