import type { Declared } from '../preprocess/index.ts'

/** One thing that a pipeline may do in several ways, the most plausible first. */
export interface Dimension {
  /** In words: `letters`, `padding`. */
  readonly what: string
  /** The ways, in words. */
  readonly ways: readonly string[]
}

/** The pipelines that may have made some inputs of one raw feature: one way of each dimension. */
export interface Plan {
  readonly inputs: readonly string[]
  readonly dimensions: readonly Dimension[]
  /** Numbers that these ways leave to be fitted, from which to start. */
  parameters(ways: readonly number[]): readonly number[]
  /**
   * The declarations by input; null for an input that is taken as it is.
   * @param digits how many a fitted number is written with
   * @returns null where these ways do not go together
   */
  declare(ways: readonly number[], parameters: readonly number[], digits?: number): Declarations | null
}

export type Declarations = Readonly<Record<string, Declared | null>>

/** A way of a dimension with what it stands for. */
export type Way<T> = readonly [words: string, meaning: T]

/** A plan out of dimensions with a meaning each: `build` gets the meanings that were chosen, by the dimensions' keys. */
export function planOf<D extends Readonly<Record<string, readonly [what: string, ways: readonly Way<unknown>[]]>>>(
  inputs: readonly string[],
  dimensions: D,
  build: (chosen: Chosen<D>, parameters: readonly number[], digits: number | undefined) => Declarations | null,
  parameters: (chosen: Chosen<D>) => readonly number[] = () => [],
): Plan {
  const keys = Object.keys(dimensions)
  const chosen = (ways: readonly number[]) =>
    Object.fromEntries(keys.map((key, i) => [key, dimensions[key][1][ways[i]][1]])) as Chosen<D>
  return {
    inputs,
    dimensions: keys.map((key) => ({ what: dimensions[key][0], ways: dimensions[key][1].map(([words]) => words) })),
    parameters: (ways) => parameters(chosen(ways)),
    declare: (ways, numbers, digits) => build(chosen(ways), numbers, digits),
  }
}

type Chosen<D extends Readonly<Record<string, readonly [string, readonly Way<unknown>[]]>>> = {
  readonly [K in keyof D]: D[K][1][number][1]
}
