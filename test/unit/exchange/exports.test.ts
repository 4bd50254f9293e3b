import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import { describe, expect, test } from 'vitest'
import { NPY as EMBEDDED } from '../../../src/embed/output/npy.ts'
import { arrowSchema } from '../../../src/exchange/arrowschema.ts'
import { FAISS } from '../../../src/exchange/faiss.ts'
import { NPY } from '../../../src/exchange/npy.ts'
import { PARQUET } from '../../../src/exchange/parquet.ts'
import { PGVECTOR } from '../../../src/exchange/pgvector.ts'
import { similarityOf } from '../../../src/graph/index.ts'
import type { Datapoint } from '../../../src/search/datapoint.ts'
import { fixture, written } from './files.ts'

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** What faiss.write_index and numpy.save wrote in exports.py. */
const ITEMS: readonly Datapoint[] = [
  { id: '7', embedding: Float32Array.of(3, 4) },
  { id: '-5', embedding: Float32Array.of(0.5, -0.25) },
  { id: '9223372036854775807', embedding: Float32Array.of(0, 1) },
]
const NAMED = ITEMS.map((item, i) => (i === 1 ? { ...item, id: 'laura' } : item))

describe('an export to FAISS', () => {
  test.each([
    ['dot', 'ip'],
    ['euclidean', 'l2'],
  ] as const)('of %s is what faiss.write_index writes, byte by byte', async (metric, name) => {
    const [bytes, ids] = await written(FAISS, ITEMS, { similarity: similarityOf(metric) })
    expect(bytes).toEqual(fixture(`${name}.faiss`))
    expect(textOf(ids)).toBe('"7"\n"-5"\n"9223372036854775807"\n')
  })

  test('of cosine has vectors of length 1', async () => {
    const [bytes] = await written(FAISS, ITEMS, { similarity: similarityOf('cosine') })
    const floats = new Float32Array(bytes.slice(82, 90).buffer)
    expect([...floats]).toEqual([0.6, 0.8].map(Math.fround))
  })

  test('has rows for numbers where an id is no whole number in 64 bits', async () => {
    for (const id of ['laura', '07', '-0', '9223372036854775808', '1.5', '']) {
      const items = ITEMS.map((item, i) => (i === 1 ? { ...item, id } : item))
      const [bytes] = await written(FAISS, items)
      expect([...new BigInt64Array(bytes.slice(-24).buffer)]).toEqual([0n, 1n, 2n])
    }
  })

  test('of a negative scale is refused', async () => {
    const similarity = similarityOf({ metric: 'dot', scale: -1 })
    await expect(written(FAISS, ITEMS, { similarity })).rejects.toThrow("the similarity's scale is -1")
    await expect(written(PGVECTOR, ITEMS, { similarity })).rejects.toThrow("the similarity's scale is -1")
  })
})

test('an export to .npy is what numpy.save writes, with the ids beside it', async () => {
  const [bytes, ids] = await written(NPY, NAMED)
  expect(bytes).toEqual(fixture('items.npy'))
  expect(textOf(ids)).toBe('"7"\n"laura"\n"9223372036854775807"\n')
})

test('ids lie where reading looks for them, however the extension is written', () => {
  for (const format of [NPY, EMBEDDED]) expect(format.paths('FILMS.NPY')).toEqual(['FILMS.NPY', 'FILMS.ids.jsonl'])
  expect(FAISS.paths('films.Faiss')).toEqual(['films.Faiss', 'films.ids.jsonl'])
})

describe('an export to Parquet', () => {
  const full: Datapoint = {
    id: 'a',
    embedding: Float32Array.of(1, 2),
    restricts: [
      { namespace: 'genre', allow: ['noir', 'Ω'] },
      { namespace: 'x', allow: [], deny: ['y'] },
    ],
    numericRestricts: [
      { namespace: 'year', type: 'int', value: 2n ** 62n },
      { namespace: 'rating', type: 'float', value: 0.5 },
      { namespace: 'share', type: 'double', value: 0.1 },
    ],
    crowdingTag: '',
  }

  test("has the columns of Vector Search's records", async () => {
    const [bytes] = await written(PARQUET, [full, { id: 'b', embedding: Float32Array.of(3, 4) }])
    const file = bytes.slice().buffer
    const none = { value_int: undefined, value_float: undefined, value_double: undefined }
    expect(
      JSON.parse(
        JSON.stringify(await parquetReadObjects({ file }), (_, v) =>
          typeof v === 'bigint' ? `${v}` : (v ?? undefined),
        ),
      ),
    ).toEqual([
      {
        id: 'a',
        embedding: [1, 2],
        restricts: [
          { namespace: 'genre', allow: ['noir', 'Ω'] },
          { namespace: 'x', allow: [], deny: ['y'] },
        ],
        numeric_restricts: [
          { ...none, namespace: 'year', value_int: String(2n ** 62n) },
          { ...none, namespace: 'rating', value_float: 0.5 },
          { ...none, namespace: 'share', value_double: 0.1 },
        ],
        crowding_tag: '',
      },
      { id: 'b', embedding: [3, 4] },
    ])
  })

  test("keeps pyarrow's own schema beside its own, for lists of a fixed size", async () => {
    const [bytes] = await written(PARQUET, [full], { width: 2 })
    const kept = parquetMetadata(bytes.slice().buffer).key_value_metadata
    expect(kept).toEqual([{ key: 'ARROW:schema', value: arrowSchema(2) }])
    expect(arrowSchema(300)).toBe(textOf(fixture('arrow300.txt')))
  })
})

describe('an export to pgvector', () => {
  const items: readonly Datapoint[] = [
    {
      id: 'a\t\\b\n"c"\r',
      embedding: Float32Array.of(1, -0.5),
      restricts: [
        { namespace: 'genre', allow: ["it's \\ new"] },
        { namespace: 'genre', deny: ['war'] },
      ],
      numericRestricts: [{ namespace: 'year', type: 'int', value: 2n ** 63n - 1n }],
      crowdingTag: '\\N',
    },
    { id: 'b', embedding: Float32Array.of(0, 2) },
  ]

  test('is a table, its rows as COPY has them, and indexes', async () => {
    const text = textOf((await written(PGVECTOR, items, { name: 'my "films"' }))[0])
    expect(text).toContain('CREATE TABLE "my ""films""" (\n  id text PRIMARY KEY,\n  embedding vector(2) NOT NULL,')
    expect(text).toContain('USING hnsw (embedding vector_ip_ops);')
    const [row, next] = text.split('FROM stdin;\n')[1].split('\n')
    // COPY's text format: a backslash before what would end a cell or a row, and before itself.
    expect(row).toBe(
      String.raw`a\t\\b\n"c"\r	[1,-0.5]	{"genre":{"allow":["it's \\\\ new"],"deny":["war"]}}	{"year": 9223372036854775807}	\\N`,
    )
    expect(next).toBe(String.raw`b	[0,2]	{}	{}	\N`)
  })

  test('has more tokens than a call may have arguments', async () => {
    const allow = Array.from({ length: 200_000 }, (_, i) => String(i))
    const text = textOf((await written(PGVECTOR, [{ ...items[1], restricts: [{ namespace: 'a', allow }] }]))[0])
    expect(text).toContain('"199999"],"deny":[]}}')
  })

  test('of wide vectors has no index for them', async () => {
    const wide = [{ id: 'a', embedding: new Float32Array(2001) }]
    const text = textOf((await written(PGVECTOR, wide))[0])
    expect(text).not.toContain('hnsw')
  })

  test.each([
    [{ id: 'a\0' }, 'NUL'],
    [{ crowdingTag: '\0' }, 'NUL'],
    [{ restricts: [{ namespace: 'a', allow: ['\0'] }] }, 'NUL'],
    [{ numericRestricts: [{ namespace: 'a', type: 'double', value: Infinity }] }, 'is Infinity'],
  ] as const)('%o is refused', async (wrong, problem) => {
    await expect(written(PGVECTOR, [{ ...items[1], ...wrong }])).rejects.toThrow(problem)
  })
})
