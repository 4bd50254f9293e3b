import type { Json } from '../../json/parse.ts'
import { jsonText } from '../../json/text.ts'
import type { Utf8Writer } from '../../json/utf8.ts'
import { isMembers } from '../../serve/values.ts'
import type { InputRow, RowName } from '../row.ts'

/** How a row's answer is written as a line. */
export type Layout = (writer: Utf8Writer, row: InputRow, embedding: Float32Array) => void

/** `"id": …, "key": …, ` of those that the row has. */
export function nameText(name: RowName): string {
  let text = ''
  for (const key in name) text += `"${key}": ${jsonText(name[key as keyof RowName] as Json)}, `
  return text
}

/** What a row is called where a name is one text: its id, or its key; null where it has none. */
export function idOf({ id, key }: RowName): string | null {
  const name = id ?? key ?? null
  return name === null ? null : typeof name === 'string' ? name : jsonText(name)
}

/** `{"id": …, "embedding": […]}` */
export const plainLine: Layout = (writer, { name }, embedding) => {
  writer.text(`{${nameText(name)}"embedding": `)
  writer.floats(embedding)
  writer.text('}\n')
}

/** What Vector Search takes beside a vector, to filter by and to spread the answers. */
const BESIDE = ['restricts', 'numeric_restricts', 'crowding_tag', 'sparse_embedding', 'embedding_metadata']

/** Vertex AI Vector Search's record: an id that is text, the vector, and what it filters by where the row has it. */
export const vectorSearchLine: Layout = (writer, { name, json }, embedding) => {
  const id = idOf(name)
  if (id === null) throw new RangeError('the row has no "id", which Vector Search wants')
  writer.text(`{"id": ${JSON.stringify(id)}, "embedding": `)
  writer.floats(embedding)
  if (json !== undefined && isMembers(json))
    for (const member of BESIDE)
      if (json[member] !== undefined) writer.text(`, ${JSON.stringify(member)}: ${jsonText(json[member])}`)
  writer.text('}\n')
}

/** A line of Vertex AI's batch prediction: the instance as it came, with its prediction. */
export const batchPredictionLine: Layout = (writer, { json }, embedding) => {
  writer.text(`{"instance": ${jsonText(json ?? null)}, "prediction": `)
  writer.floats(embedding)
  writer.text('}\n')
}
