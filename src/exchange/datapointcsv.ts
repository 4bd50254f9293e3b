import { parse } from 'csv-parse/sync'
import { float32Text } from '../json/text.ts'
import type { Datapoint, NumericRestrict, Restrict } from '../search/datapoint.ts'
import { checkNumber } from '../search/restricts.ts'
import { checkVector, valueText } from './datapointjson.ts'

// Vector Search's CSV (cloud.google.com/vertex-ai/docs/vector-search/format-structure): no header; the id, the numbers of
// the vector, then cells NAME=VALUE in any order. `crowding_tag=T` is the tag; `color=red` allows a token, `color=!red`
// denies one; `#size=3i` is a number, its last letter the type: i int, f float, d double. A sparse embedding would be cells
// `40:0.1` after the vector.

const FLOAT = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?\s*$/
const SPARSE = /^\s*\d+\s*:/
const TAG = 'crowding_tag'
const TYPES = { i: 'int', f: 'float', d: 'double' } as const

/**
 * The datapoint of one row.
 * @throws {TypeError | RangeError} where a cell is not what stands at its place
 */
export function datapointOfRow(row: Uint8Array): Datapoint {
  const [cells] = parse(row, { relax_column_count: true, bom: true }) as string[][]
  const [id = '', ...rest] = cells ?? []
  if (id === '') throw new RangeError('a row must begin with an id that is not empty')
  const named = rest.findIndex((cell) => cell.includes('='))
  const numbers = named < 0 ? rest : rest.slice(0, named)
  const embedding = Float32Array.from(numbers, numberOf)
  checkVector(embedding)
  return { id, embedding, ...attributesOf(named < 0 ? [] : rest.slice(named), named + 2) }
}

function numberOf(cell: string, i: number): number {
  if (FLOAT.test(cell)) return Number.parseFloat(cell)
  if (SPARSE.test(cell))
    throw new RangeError(
      `cell ${i + 2} is ${JSON.stringify(cell)}, of a sparse embedding, which is not searched here; only dense vectors are`,
    )
  throw new TypeError(
    `cell ${i + 2} must be a finite number of the embedding or NAME=VALUE, got ${JSON.stringify(cell)}`,
  )
}

/** @param first the number of the first of `cells` in its row, from 1 */
function attributesOf(cells: readonly string[], first: number): Omit<Datapoint, 'id' | 'embedding'> {
  const restricts = new Map<string, { allow: string[]; deny: string[] }>()
  const numbers = new Map<string, NumericRestrict>()
  let crowdingTag: string | undefined
  for (const [i, cell] of cells.entries()) {
    const at = cell.indexOf('=')
    const where = `cell ${first + i}, ${JSON.stringify(cell)},`
    if (at < 0) throw new RangeError(`${where} must be NAME=VALUE, as all cells after the first such one`)
    const [name, value] = [cell.slice(0, at), cell.slice(at + 1)]
    if (name === TAG) {
      if (crowdingTag !== undefined) throw new RangeError(`${where} is a second ${TAG}; a row has one at most`)
      crowdingTag = value
    } else if (name.startsWith('#')) {
      const number = numericOf(name.slice(1), value, where)
      if (numbers.has(number.namespace))
        throw new RangeError(`${where} is a second number in its namespace; a row has one at most`)
      numbers.set(number.namespace, number)
    } else {
      if (name === '') throw new RangeError(`${where} must name its namespace`)
      const tokens = restricts.get(name) ?? { allow: [], deny: [] }
      restricts.set(name, tokens)
      if (value.startsWith('!')) tokens.deny.push(value.slice(1))
      else tokens.allow.push(value)
    }
  }
  return {
    ...(restricts.size > 0 && { restricts: Array.from(restricts, restrictOf) }),
    ...(numbers.size > 0 && { numericRestricts: [...numbers.values()] }),
    ...(crowdingTag !== undefined && { crowdingTag }),
  }
}

const restrictOf = ([namespace, { allow, deny }]: readonly [
  string,
  { allow: string[]; deny: string[] },
]): Restrict => ({
  namespace,
  ...(allow.length > 0 && { allow }),
  ...(deny.length > 0 && { deny }),
})

function numericOf(namespace: string, value: string, where: string): NumericRestrict {
  const [digits, suffix] = [value.slice(0, -1), value.slice(-1)]
  const type = TYPES[suffix as keyof typeof TYPES]
  if (type === undefined)
    throw new RangeError(`${where} must end in its number's type: i for an int, f for a float, d for a double`)
  if (!(type === 'int' ? /^[+-]?\d{1,19}$/ : FLOAT).test(digits) || /[fFdD]$/.test(digits))
    throw new RangeError(`${where} must have a number of the type ${type} before its last letter`)
  const restrict: NumericRestrict =
    type === 'int' ? { namespace, type, value: BigInt(digits) } : { namespace, type, value: Number(digits) }
  checkNumber(restrict)
  return restrict
}

/** A row of Vector Search's CSV, without its line feed. @throws {RangeError} for what its syntax cannot hold */
export function csvRow({ id, embedding, restricts = [], numericRestricts = [], crowdingTag }: Datapoint): string {
  const cells = [id, ...Array.from(embedding, float32Text)]
  if (crowdingTag !== undefined) cells.push(`${TAG}=${crowdingTag}`)
  for (const { namespace, allow = [], deny = [] } of restricts) {
    if (namespace === TAG || /^#|=/.test(namespace))
      throw new RangeError(
        `CSV cannot hold the namespace ${JSON.stringify(namespace)}: it must not be ${TAG}, begin with "#" or hold "="; JSON and Avro can`,
      )
    for (const token of allow) {
      if (token.startsWith('!'))
        throw new RangeError(
          `CSV cannot allow the token ${JSON.stringify(token)}: with "!" a denied one begins; JSON and Avro can`,
        )
      cells.push(`${namespace}=${token}`)
    }
    for (const token of deny) cells.push(`${namespace}=!${token}`)
  }
  for (const restrict of numericRestricts) {
    if (restrict.namespace.includes('='))
      throw new RangeError(
        `CSV cannot hold the namespace ${JSON.stringify(restrict.namespace)}: it must not hold "="; JSON and Avro can`,
      )
    cells.push(`#${restrict.namespace}=${valueText(restrict)}${restrict.type[0]}`)
  }
  return cells.map(cellText).join(',')
}

const cellText = (cell: string): string => (/[",\r\n]|^\uFEFF/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)
