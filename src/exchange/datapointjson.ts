import type { Json } from '../json/parse.ts'
import { float32Text, float64Text } from '../json/text.ts'
import type { Utf8Writer } from '../json/utf8.ts'
import type { Datapoint, NumericRestrict, Restrict } from '../search/datapoint.ts'
import { attributesIn } from '../search/filterjson.ts'
import { isMembers, vectorOf } from '../serve/values.ts'

// A record of Vector Search as JSON (cloud.google.com/vertex-ai/docs/vector-search/format-structure): `id`, `embedding`,
// `restricts`, `numeric_restricts`, `crowding_tag`. Avro's records have the same members.

/**
 * The datapoint that a record holds; an id may be a whole number. Members that Vector Search does not rank or filter by
 * (`embedding_metadata`, a catalogue's own) are passed over, but a sparse embedding, which it would rank by, is refused.
 * @throws {TypeError | RangeError} where the record is none
 */
export function datapointOf(json: Json): Datapoint {
  if (!isMembers(json)) throw new TypeError('a record must be a JSON object with "id" and "embedding"')
  const { sparse_embedding: sparse = null } = json
  if (sparse !== null)
    throw new RangeError('"sparse_embedding" is not searched here, only dense vectors are; take it out of the file')
  const id = idOf(json.id)
  if (json.embedding === undefined) throw new TypeError('the record has no "embedding"')
  const embedding = vectorOf(json.embedding)
  checkVector(embedding)
  const members = Object.entries(json).filter(([, value]) => value !== null)
  return { id, embedding, ...attributesIn(Object.fromEntries(members)) }
}

/** @throws {RangeError} for no number at all, and for one that is no finite float32 */
export function checkVector(embedding: Float32Array): void {
  if (embedding.length === 0) throw new RangeError('the embedding has no numbers')
  const wrong = embedding.findIndex((value) => !Number.isFinite(value))
  if (wrong >= 0) throw new RangeError(`number ${wrong} of the embedding is ${embedding[wrong]}; it must be finite`)
}

function idOf(json: Json | undefined): string {
  if (typeof json === 'bigint' || (typeof json === 'number' && Number.isSafeInteger(json))) return String(json)
  if (typeof json === 'string' && json !== '') return json
  throw new TypeError('a record must have an "id", text that is not empty')
}

/** Writes a line of Vector Search's JSON. @throws {RangeError} for what its JSON cannot hold; then nothing is written */
export function writeJsonLine(writer: Utf8Writer, datapoint: Datapoint): void {
  const { id, embedding, restricts = [], numericRestricts = [], crowdingTag } = datapoint
  const members: string[] = []
  if (restricts.length > 0) members.push(`"restricts": [${restricts.map(restrictText).join(', ')}]`)
  if (numericRestricts.length > 0) members.push(`"numeric_restricts": [${numericRestricts.map(numberText).join(', ')}]`)
  if (crowdingTag !== undefined) members.push(`"crowding_tag": ${JSON.stringify(crowdingTag)}`)
  writer.text(`{"id": ${JSON.stringify(id)}, "embedding": `)
  writer.floats(embedding)
  writer.text(`${members.map((member) => `, ${member}`).join('')}}\n`)
}

const restrictText = ({ namespace, allow, deny }: Restrict): string =>
  JSON.stringify({ namespace, ...(allow && { allow }), ...(deny && { deny }) })

const numberText = (restrict: NumericRestrict): string =>
  `{"namespace": ${JSON.stringify(restrict.namespace)}, "value_${restrict.type}": ${valueText(restrict)}}`

/** The digits that read back as the value. @throws {RangeError} for infinities, which JSON and SQL have no number for */
export function valueText({ namespace, type, value }: NumericRestrict): string {
  if (type === 'int') return String(value)
  if (!Number.isFinite(value))
    throw new RangeError(
      `the value in the namespace ${JSON.stringify(namespace)} is ${value}: this format has no such number`,
    )
  return type === 'float' ? float32Text(value) : float64Text(value)
}
