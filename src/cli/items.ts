import type { Model } from '../engine/model.ts'
import { embedLines } from './embedding.ts'
import { Progress } from './progress.ts'
import { readLines } from './stdio.ts'

/**
 * All items of a file with their embeddings, to be searched.
 * @param bad told of an item that is left out, and why
 * @throws where there is none
 */
export async function itemsOf(
  model: Model,
  file: string,
  batch: number,
  bad: (problem: string) => void,
): Promise<{ readonly ids: string[]; readonly vectors: Float32Array }> {
  const ids: string[] = []
  const parts: Float32Array[] = []
  const progress = new Progress('items')
  for await (const { at, name, embedding, error } of embedLines(readLines([file]), model, 'candidate', batch)) {
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
    ids.push(String(id))
    parts.push(embedding)
  }
  progress.stop()
  if (ids.length === 0) throw new Error(`there is no item to search in ${file}`)
  const vectors = new Float32Array(parts.length * (parts[0]?.length ?? 0))
  for (const [i, part] of parts.entries()) vectors.set(part, i * part.length)
  return { ids, vectors }
}
