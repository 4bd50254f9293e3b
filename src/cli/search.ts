import { compileKernels } from '../engine/variants.ts'
import { load } from '../load.ts'
import { ExactIndex } from '../search/exact.ts'
import { float32Text, jsonText } from '../serve/json.ts'
import { embedLines } from './embedding.ts'
import { EXIT, report } from './exit.ts'
import { itemsOf } from './items.ts'
import { type LoadingOptions, loadOptions } from './loading.ts'
import { notKnown } from './similarity.ts'
import { countOf, readLines, write } from './stdio.ts'

export interface SearchOptions extends LoadingOptions {
  readonly items: string
  readonly k: string
  readonly batch: string
}

/** Ranks the items for each query: exact top-k over embeddings that are given or made here. */
export async function search(path: string, files: readonly string[], options: SearchOptions): Promise<void> {
  const [k, batch] = [countOf('--k', options.k), countOf('--batch', options.batch)]
  const chosen = loadOptions(options)
  const model = await load(path, chosen)
  const { similarity, notes } = model.structure
  if (similarity === null) throw notKnown(notes)
  const { ids, vectors } = await itemsOf(model, options.items, batch, (problem) => {
    process.exitCode = EXIT.failed
    report(new Error(problem))
  })
  const index = new ExactIndex(ids, vectors, similarity, await compileKernels(chosen))
  for await (const { at, name, embedding, error } of embedLines(readLines(files), model, 'query', 1)) {
    const own = Object.entries(name)
      .map(([key, value]) => `"${key}": ${jsonText(value)}, `)
      .join('')
    let answer: string
    try {
      if (embedding === undefined) throw new Error(error)
      const found = index.search(embedding, k)
      const neighbors = found.ids.map(
        (id, i) => `{"id": ${JSON.stringify(id)}, "score": ${float32Text(found.scores[i])}}`,
      )
      answer = `{${own}"neighbors": [${neighbors.join(', ')}]}`
    } catch (problem) {
      process.exitCode = EXIT.failed
      answer = `{${own}"error": ${JSON.stringify(`${at}: ${(problem as Error).message}`)}}`
    }
    await write(process.stdout, `${answer}\n`)
  }
}
