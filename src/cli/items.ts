import type { Model } from '../engine/model.ts'
import { Attributes } from '../search/attributes.ts'
import type { Datapoint } from '../search/datapoint.ts'
import { attributesIn } from '../search/filterjson.ts'
import type { Members } from '../serve/values.ts'
import { embedLines } from './embedding.ts'
import { Progress } from './progress.ts'
import { readLines } from './stdio.ts'

/** Items to be searched. */
export interface Items {
  readonly ids: string[]
  /** `float32[ids.length, width]` */
  readonly vectors: Float32Array
  readonly attributes: Attributes
}

/**
 * All items of a file with their embeddings and what else Vector Search's records hold: restricts, numeric restricts,
 * crowding tags.
 * @param bad told of an item that is left out, and why
 * @throws where there is none
 */
export async function itemsOf(
  model: Model,
  file: string,
  batch: number,
  bad: (problem: string) => void,
): Promise<Items> {
  const items: Omit<Datapoint, 'embedding'>[] = []
  const parts: Float32Array[] = []
  const progress = new Progress('items')
  for await (const { at, name, json, embedding, error } of embedLines(readLines([file]), model, 'candidate', batch)) {
    progress.step()
    const id = name.id ?? name.key
    const width = parts[0]?.length ?? embedding?.length
    const problem =
      error ??
      (id === undefined
        ? 'the item has no "id"'
        : embedding?.length !== width
          ? `the embedding has ${embedding?.length} dimensions, the ones before have ${width}`
          : null)
    if (problem !== null || embedding === undefined) {
      bad(`${at}: ${problem}`)
      continue
    }
    try {
      items.push({ id: String(id), ...attributesIn(json as Members) })
    } catch (error) {
      bad(`${at}: ${(error as Error).message}`)
      continue
    }
    parts.push(embedding)
  }
  progress.stop()
  if (items.length === 0) throw new Error(`there is no item to search in ${file}`)
  const vectors = new Float32Array(parts.length * (parts[0]?.length ?? 0))
  for (const [i, part] of parts.entries()) vectors.set(part, i * part.length)
  return { ids: items.map(({ id }) => id), vectors, attributes: Attributes.of(items) }
}
