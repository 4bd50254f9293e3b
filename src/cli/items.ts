import type { Model } from '../engine/model.ts'
import { GatheredItems, type Items } from '../search/gathered.ts'
import { datapointsIn } from './datapoints.ts'

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
  const gathered = new GatheredItems()
  for await (const datapoint of datapointsIn(model, [file], { batch, bad })) gathered.add(datapoint)
  const items = gathered.finish()
  if (items.ids.length === 0) throw new Error(`there is no item to search in ${file}`)
  return items
}
