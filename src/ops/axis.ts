import { InvalidArgumentError } from '../errors.ts'

/**
 * `axis` counted from the front, of `rank` dimensions.
 * @throws {InvalidArgumentError} where it is not in [-rank, rank)
 */
export function axisOf(axis: number, rank: number, what = 'axis'): number {
  if (!(axis >= -rank && axis < rank)) {
    throw new InvalidArgumentError(`${what} = ${axis} is not in the range [${-rank}, ${rank})`)
  }
  return axis < 0 ? axis + rank : axis
}
