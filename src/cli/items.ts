import type { Model } from '../engine/model.ts'
import { Attributes } from '../search/attributes.ts'
import type { Datapoint } from '../search/datapoint.ts'
import { datapointsIn } from './datapoints.ts'

/** Items to be searched. */
export interface Items {
  readonly ids: string[]
  /** `float32[ids.length, width]` */
  readonly vectors: Float32Array
  readonly attributes: Attributes
}

/**
 * All items of a file, to be searched in memory.
 * @param bad told of an item that is left out, and why
 * @throws where there is none
 */
export async function itemsOf(
  model: Model,
  file: string,
  batch: number,
  bad: (problem: string) => void,
): Promise<Items> {
  const items: Datapoint[] = []
  for await (const datapoint of datapointsIn(model, [file], { batch, bad })) items.push(datapoint)
  if (items.length === 0) throw new Error(`there is no item to search in ${file}`)
  const width = items[0].embedding.length
  const vectors = new Float32Array(items.length * width)
  for (const [row, { embedding }] of items.entries()) vectors.set(embedding, row * width)
  return { ids: items.map(({ id }) => id), vectors, attributes: Attributes.of(items) }
}
