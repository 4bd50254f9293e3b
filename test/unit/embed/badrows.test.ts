import fc from 'fast-check'
import type { SchemaElement } from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { beforeAll, describe, expect, test } from 'vitest'
import { crc32c, masked } from '../../../src/checksum/crc32c.ts'
import { define } from '../../../src/define.ts'
import { Answerer, type WatchedModel, watchedModel } from '../../../src/embed/answer.ts'
import type { AnswerLayout, InputFormat, Piece } from '../../../src/embed/piece.ts'
import { RowEmbedder } from '../../../src/embed/row.ts'
import type { Json } from '../../../src/json/parse.ts'
import { exampleWith } from '../../../src/serve/example.ts'
import type { Members } from '../../../src/serve/values.ts'
import { demo, words } from '../explain/open.ts'

// Rows of the demo's viewers, whose tower makes 64 numbers.
const VIEWERS = words('viewers.jsonl').map((line) => JSON.parse(line) as Members)
const NAMES = ['viewer_id', 'favourite_genre', 'household', 'birth_year', 'films_per_month', 'recent_titles', 'taste']
const COLUMNS = ['id', ...NAMES, 'embedding']

type Change = (row: Members) => Members
const without =
  (name: string): Change =>
  (row) =>
    Object.fromEntries(Object.entries(row).filter(([key]) => key !== name))
const as =
  (name: string, value: Json): Change =>
  (row) => ({ ...row, [name]: value })

const GOOD: Readonly<Record<string, Change>> = {
  'as it is': (row) => row,
  'an embedding as wide as the tower’s': as(
    'embedding',
    Array.from({ length: 64 }, (_, i) => i / 64),
  ),
  'a member that is no feature': as('description', 'x'),
}
/** What every format can write. */
const BAD: Readonly<Record<string, Change>> = {
  'an embedding that is narrow': as('embedding', [1, 2, 3]),
  'an embedding that is wide': as(
    'embedding',
    Array.from({ length: 65 }, () => 1),
  ),
  'an embedding of nothing': as('embedding', []),
  'a feature missing': without('birth_year'),
  'a list that is short': as('taste', [1, 2]),
}
/** What only JSON can. */
const ODD: Readonly<Record<string, Change>> = {
  null: as('taste', null),
  'a number for text': as('household', 5),
  'text for a number': as('birth_year', 'old'),
  'text in a list': as('taste', ['x', 0, 0, 0, 0, 0, 0, 0]),
  'nested deeper': as('taste', [[0, 0, 0, 0, 0, 0, 0, 0]]),
  'nested unevenly': as('taste', [[0], 0, 0, 0, 0, 0, 0, 0]),
  'a value where a list is wanted': as('taste', 1),
  'an object': as('household', { a: 1 }),
  'past float32': as('birth_year', 1e39),
  'an embedding of text': as('embedding', ['x']),
  'a broken instance': as('data', '{'),
}

interface Format {
  readonly format: InputFormat
  readonly bad: Readonly<Record<string, Change>>
  /** The rows as a piece, and what it is read from. */
  piece(rows: readonly Members[]): Omit<Piece, 'name' | 'format'>
}

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

const cells = (delimiter: string) => (rows: readonly Members[]) => {
  const cell = (value: Json | undefined) => {
    const text = value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value)
    return `"${text.replaceAll('"', '""')}"`
  }
  const lines = rows.map((row) => COLUMNS.map((name) => cell(row[name])).join(delimiter))
  return { first: 2, header: COLUMNS, body: bytes(lines.join('\n')) }
}

let model: WatchedModel
let table = new ArrayBuffer(0)

const FORMATS: readonly Format[] = [
  {
    format: 'jsonl',
    bad: { ...BAD, ...ODD },
    piece: (rows) => ({ first: 1, header: [], body: bytes(rows.map((row) => JSON.stringify(row)).join('\n')) }),
  },
  { format: 'csv', bad: BAD, piece: cells(',') },
  { format: 'tsv', bad: BAD, piece: cells('\t') },
  {
    format: 'tfrecord',
    // A list of nothing is no feature there.
    bad: {
      'a feature missing': BAD['a feature missing'],
      'a list that is short': BAD['a list that is short'],
      'text for a number': ODD['text for a number'],
      'an embedding that is narrow': BAD['an embedding that is narrow'],
    },
    piece: (rows) => ({ first: 1, header: [], body: records(rows) }),
  },
  {
    format: 'parquet',
    bad: BAD,
    piece: (rows) => {
      table = parquet(rows)
      return { first: 1, header: [], body: { path: `${rows.length}`, start: 0, end: rows.length, columns: null } }
    },
  },
]

function records(rows: readonly Members[]): Uint8Array<ArrayBuffer> {
  const { features } = model.model.query
  const dtypes = Object.fromEntries([
    ...features.map(({ name, dtype }) => [name, dtype] as const),
    ['id', 'string'] as const,
    ['embedding', 'float32'] as const,
  ])
  const parts = rows.map((row) => {
    const typed = Object.fromEntries(Object.entries(row).filter(([name]) => name in dtypes))
    const example = exampleWith(typed, dtypes)
    const record = new Uint8Array(16 + example.length)
    const view = new DataView(record.buffer)
    view.setBigUint64(0, BigInt(example.length), true)
    view.setUint32(8, masked(crc32c(record.subarray(0, 8))), true)
    record.set(example, 12)
    view.setUint32(12 + example.length, masked(crc32c(example)), true)
    return record
  })
  return new Uint8Array(Buffer.concat(parts))
}

function parquet(rows: readonly Members[]): ArrayBuffer {
  const writer = new ByteWriter()
  const list = (name: string): SchemaElement[] => [
    { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', type: 'DOUBLE', repetition_type: 'REQUIRED' },
  ]
  const schema = COLUMNS.flatMap((name): SchemaElement[] => {
    if (name === 'taste' || name === 'embedding') return list(name)
    if (name === 'birth_year' || name === 'films_per_month')
      return [{ name, type: 'DOUBLE', repetition_type: 'OPTIONAL' }]
    return [{ name, type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL', converted_type: 'UTF8' }]
  })
  const file = new ParquetWriter({ writer, schema: [{ name: 'root', num_children: COLUMNS.length }, ...schema] })
  file.write({ columnData: COLUMNS.map((name) => ({ name, data: rows.map((row) => row[name]) })) })
  file.finish()
  return writer.getBuffer()
}

/** What each row is answered, or null where that is an error. */
async function answers(of: Format, rows: readonly Members[], batch: number): Promise<(readonly number[] | null)[]> {
  const { format } = of
  const job = {
    side: 'query' as const,
    formats: [format],
    batch,
    layout: 'plain' as const,
    errors: 'in place' as const,
  }
  const answerer = await Answerer.of(model, job, async () => table)
  const { text } = await answerer.answer({ name: 'rows', format, ...of.piece(rows) })
  const lines = new TextDecoder().decode(text).trimEnd().split('\n')
  return lines.map((line) => {
    const answer = JSON.parse(line) as { readonly embedding?: number[]; readonly error?: string }
    if ((answer.embedding === undefined) === (answer.error === undefined)) throw new Error(line)
    return answer.embedding ?? null
  })
}

beforeAll(async () => {
  model = await watchedModel(await define(`${demo}/query_model`), {})
})

describe('a bad row gets an error in its own place, and the others the answers that they get without it, of', () => {
  for (const of of FORMATS)
    test(`${of.format}`, async () => {
      const kinds = [...Object.keys(GOOD), ...Object.keys(of.bad)]
      const drawn = fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 12 })
      await fc.assert(
        fc.asyncProperty(drawn, fc.integer({ min: 1, max: 5 }), async (chosen, batch) => {
          const rows = chosen.map((kind, i) => (GOOD[kind] ?? of.bad[kind])(VIEWERS[i % VIEWERS.length]))
          const found = await answers(of, rows, batch)
          expect(found.map((answer) => answer !== null)).toEqual(chosen.map((kind) => kind in GOOD))
          const kept = rows.filter((_, i) => chosen[i] in GOOD)
          if (kept.length === 0) return
          const wanted = await answers(of, kept, batch)
          for (const [i, answer] of found.filter((one) => one !== null).entries())
            for (const [j, value] of answer.entries()) expect(value).toBeCloseTo(wanted[i]?.[j] ?? Number.NaN, 5)
        }),
        {
          numRuns: 30,
          examples: [[['an embedding that is narrow', 'as it is', 'an embedding as wide as the tower’s'], 3]],
        },
      )
    })
})

test('bare vectors are all as wide as the tower’s, whatever the first row of a piece is', async () => {
  const layout: AnswerLayout = 'vectors'
  const job = { side: 'query' as const, formats: ['jsonl' as const], batch: 8, layout, errors: 'apart' as const }
  const answerer = await Answerer.of(model, job, async () => table)
  const rows = [BAD['an embedding that is narrow'](VIEWERS[0]), VIEWERS[1], VIEWERS[2]]
  const answer = await answerer.answer({ name: 'rows', format: 'jsonl', ...FORMATS[0].piece(rows) })
  expect(answer.ids).toEqual([VIEWERS[1].id, VIEWERS[2].id])
  expect(answer.vectors).toHaveLength(2 * 64)
  expect(new TextDecoder().decode(answer.errors)).toMatch(
    /^\{"file": "rows", "line": 1, .*has 3 dimensions, those of the query tower have 64"\}\n$/,
  )
})

test('where rows may be of any width, those that hold embeddings are held against what the tower makes of the others', () => {
  const embedder = new RowEmbedder(model.model, 'query')
  const narrow = () => embedder.row(() => BAD['an embedding that is narrow'](VIEWERS[0]))
  expect(embedder.embed([narrow()])).toEqual([Float32Array.of(1, 2, 3)])
  const [first, second] = embedder.embed([narrow(), embedder.row(() => VIEWERS[1])])
  expect(first).toMatch('has 3 dimensions, those of the query tower have 64')
  expect(second).toHaveLength(64)
})
