import { RowEmbedder } from '../../embed/row.ts'
import type { Model } from '../../engine/model.ts'
import { type Json, parseJson } from '../../json/parse.ts'
import { isMembers, type Members } from '../../serve/values.ts'
import type { Offer, Picked } from '../protocol.ts'
import { rowFiles } from './source.ts'

/** Rows of a file: lines of JSON. */
export interface Rows {
  readonly from: string
  readonly rows: readonly Members[]
}

/** Items with their embeddings, in their order. */
export interface Items {
  readonly from: string
  readonly ids: readonly string[]
  readonly labels: readonly string[]
  readonly vectors: Float32Array
  /** Their features; none where only embeddings are known. */
  readonly rows: readonly Members[]
  /** What was left out, in words. */
  readonly remarks: readonly string[]
}

/** Rows that are embedded together, and those after which progress is told. */
const [BATCH, TOLD] = [256, 2048]

/** @throws {SyntaxError} that names the line which is no JSON of an object */
export function readRows(from: string, text: string): Rows {
  const rows: Members[] = []
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue
    let json: Json
    try {
      json = parseJson(line)
    } catch (error) {
      throw new SyntaxError(`${from}, line ${i + 1}: ${(error as Error).message}`)
    }
    if (!isMembers(json)) throw new SyntaxError(`${from}, line ${i + 1} must be a JSON object of features`)
    rows.push(json)
  }
  return { from, rows }
}

/** The rows of some files: what can be read, and of each file that cannot why. */
export type Given = readonly (Rows | Error)[]

export const rowsOfFiles = (picked: readonly Picked[]): Promise<Given> =>
  each(rowFiles(picked), async ({ path, file }) => readRows(path, await file.text()))

export const rowsOfOffer = ({ items, examples }: Offer): Promise<Given> =>
  each(
    [items, examples].filter((address) => address !== undefined),
    async (address) => {
      const response = await fetch(new URL(address, location.href))
      if (!response.ok) throw new Error(`${address} cannot be fetched: the server answered ${response.status}`)
      return readRows(address.split('/').at(-1) ?? address, await response.text())
    },
  )

/** One that cannot be read spoils no other. */
const each = <T>(files: readonly T[], read: (file: T) => Promise<Rows>): Promise<Given> =>
  Promise.all(files.map((file) => read(file).catch((error: Error) => error)))

/**
 * Embeds items by the candidate tower, or takes the embeddings that they bring.
 * @throws {RangeError} where none is left
 */
export function embedItems(model: Model, { from, rows }: Rows, progress: (words: string) => void): Items {
  const embedder = new RowEmbedder(model, 'candidate')
  const [ids, labels, kept, parts]: [string[], string[], Members[], Float32Array[]] = [[], [], [], []]
  let [bad, first] = [0, '']
  for (let start = 0; start < rows.length; start += BATCH) {
    const batch = rows.slice(start, start + BATCH)
    const found = embedder.embed(batch.map((row) => embedder.row(() => row)))
    for (const [i, answer] of found.entries()) {
      const problem = typeof answer === 'string' ? answer : problemWith(answer, parts[0]?.length ?? answer.length)
      if (problem === null) {
        const id = String(batch[i].id ?? batch[i].key ?? start + i)
        ids.push(id)
        labels.push(labelOf(batch[i], id))
        kept.push(batch[i])
        parts.push(answer as Float32Array)
      } else if (bad++ === 0) first = `item ${start + i + 1}: ${problem}`
    }
    if (start % TOLD === 0 && start > 0) progress(`embedding items: ${start} of ${rows.length}`)
  }
  if (ids.length === 0)
    throw new RangeError(`no item of ${from} can be embedded${first === '' ? ': it is empty' : ` (${first})`}`)
  const vectors = new Float32Array(parts.length * parts[0].length)
  for (const [i, part] of parts.entries()) vectors.set(part, i * part.length)
  const remarks = bad === 0 ? [] : [`${bad} of ${rows.length} items of ${from} are left out (${first})`]
  return { from, ids, labels, vectors, rows: kept, remarks }
}

/** Why an embedding cannot be an item's: one that is not finite would leave no place on the map to any. */
function problemWith(embedding: Float32Array, width: number): string | null {
  const { length } = embedding
  if (length === 0) return 'the embedding has no numbers'
  if (length !== width) return `the embedding has ${length} dimensions, the ones before have ${width}`
  const wrong = embedding.findIndex((value) => !Number.isFinite(value))
  return wrong < 0 ? null : `number ${wrong} of the embedding is ${embedding[wrong]}, it must be finite`
}

/** What people call an item: its title or name, with its year, else its id. */
function labelOf(row: Members, id: string): string {
  const called = row.title ?? row.name ?? row.label
  const name = Array.isArray(called) ? called[0] : called
  if (typeof name !== 'string' || name === '') return id
  const year = Array.isArray(row.year) ? row.year[0] : row.year
  return typeof year === 'number' || typeof year === 'string' ? `${name} (${year})` : name
}
