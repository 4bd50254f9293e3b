import type { Answer } from '../piece.ts'

/** How many dimensions the embeddings of `answer` have. @throws {RangeError} where those before have another `known` number */
export function widthOf({ vectors, ids }: Answer, known: number | undefined): number {
  const width = ids.length === 0 ? (known ?? 0) : vectors.length / ids.length
  if (known !== undefined && width !== known)
    throw new RangeError(`an embedding has ${width} dimensions, the ones before have ${known}`)
  return width
}
