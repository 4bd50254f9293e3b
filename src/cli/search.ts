import { float32Text, jsonText } from '../json/text.ts'
import type { SearchOptions } from '../search/datapoint.ts'
import type { Neighbors } from '../search/exact.ts'
import { Explainer } from '../search/explain.ts'
import { ItemIndex } from '../search/itemindex.ts'
import { type Embedded, embedLines } from './embedding.ts'
import { EXIT } from './exit.ts'
import { explainedText, explanationText } from './explanation.ts'
import { type Searched, type SearchedOptions, searchedBy } from './searched.ts'
import { readLines, write } from './stdio.ts'
import { type WantedOptions, wantedBy, wantedOf } from './wanted.ts'

export interface SearchCommandOptions extends SearchedOptions, WantedOptions {
  readonly explain?: boolean
  readonly explainId?: readonly string[]
}

/** Queries of files that are answered together; those of standard input are answered as they come. */
const TOGETHER = 64

/** Ranks the items for each query: exact top-k, where it is asked for nearly so, over embeddings that are given or made. */
export async function search(paths: readonly string[], options: SearchCommandOptions): Promise<void> {
  const all = await wantedOf(options)
  const searched = await searchedBy(paths, options)
  const { model, files } = searched
  const features = model === null || model.structure.query === null ? [] : model.query.features.map(({ name }) => name)
  const together = files.length === 0 || files.includes('-') ? 1 : TOGETHER
  let waiting: Embedded[] = []
  const answer = async () => {
    const found = answersOf(searched, waiting, (line) => wantedBy(line.json, features, all), options)
    for (const [i, text] of found.entries()) await write(process.stdout, `{${nameOf(waiting[i])}${text}}\n`)
    waiting = []
  }
  for await (const line of embedLines(readLines(files), model, 'query', together)) {
    waiting.push(line)
    if (waiting.length === together) await answer()
  }
  await answer()
}

/** What follows a query's own names in its answer, for each of `lines`. */
function answersOf(
  { index, from }: Searched,
  lines: readonly Embedded[],
  wanted: (line: Embedded) => SearchOptions,
  options: SearchCommandOptions,
): string[] {
  const asked = lines.map((line) => {
    try {
      const { embedding, error } = line
      if (embedding === undefined) throw new Error(error)
      if (embedding.length !== index.width)
        throw new RangeError(
          `the query has ${embedding.length} dimensions, the items have ${index.width}${index instanceof ItemIndex ? `: ${from} is of other towers` : ''}`,
        )
      const wrong = embedding.findIndex((value) => !Number.isFinite(value))
      if (wrong >= 0)
        throw new RangeError(`number ${wrong} of the query's embedding is ${embedding[wrong]}, it must be finite`)
      return { query: embedding, wanted: wanted(line) }
    } catch (error) {
      return `${line.at}: ${(error as Error).message}`
    }
  })
  const good = asked.filter((one) => typeof one !== 'string')
  const found = index.searchMany(
    good.map(({ query }) => query),
    good.map((one) => one.wanted),
  )
  return asked.map((one) => {
    if (typeof one !== 'string') return answerText(index, one.query, one.wanted, found.shift() as Neighbors, options)
    process.exitCode = EXIT.failed
    return `"error": ${JSON.stringify(one)}`
  })
}

function answerText(
  index: Searched['index'],
  query: Float32Array,
  wanted: SearchOptions,
  { ids, scores }: Neighbors,
  { explain = false, explainId = [] }: SearchCommandOptions,
): string {
  const explainer =
    explain || explainId.length > 0
      ? new Explainer(index instanceof ItemIndex ? index.snapshot() : index, query, wanted)
      : null
  const neighbors = ids.map((id, i) => {
    const why = explain && explainer !== null ? `, "explain": ${explanationText(explainer.explain(id))}` : ''
    return `{"id": ${JSON.stringify(id)}, "score": ${float32Text(scores[i])}${why}}`
  })
  const explained = explainId.map((id) => explainedText(explainer as Explainer, id, ids))
  return `"neighbors": [${neighbors.join(', ')}]${explained.length > 0 ? `, "explained": [${explained.join(', ')}]` : ''}`
}

const nameOf = ({ name }: Embedded): string =>
  Object.entries(name)
    .map(([key, value]) => `"${key}": ${jsonText(value)}, `)
    .join('')
