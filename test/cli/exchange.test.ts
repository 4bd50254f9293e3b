import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { jsonl, model, run, scratch, twotower } from './command.ts'

const folder = scratch()
const at = (name: string): string => join(folder, name)
const avro = fileURLToPath(new URL('../fixtures/exchange/deflate.avro', import.meta.url))
const index = at('items.index')
const item = (id: string, ...embedding: number[]) => ({ id, embedding })
let made = 0
/** Into an index of its own: tests run beside each other. */
const make = (...args: string[]) => run(['index', ...args, '--similarity', 'dot', '-o', at(`made.${made++}.index`)])

beforeAll(async () => {
  writeFileSync(at('items.json'), jsonl(item('a', 1, 2, 3), { ...item('b', 4, 5, 6), crowding_tag: 't' }))
  await twotower(['index', at('items.json'), '--similarity', 'dot', '-o', index])
})

/** A batch of files by name, in a new folder. */
function batch(name: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  mkdirSync(at(`${name}/delete`), { recursive: true })
  for (const [file, content] of Object.entries(files)) writeFileSync(at(`${name}/${file}`), content)
  return at(name)
}

describe.concurrent("Vector Search's files on the command line", () => {
  test('make an index that exports them as they were, by each format', async () => {
    const wanted = await exported(index, 'wanted.json')
    for (const extension of ['json', 'csv', 'avro']) {
      await twotower(['export', index, '-o', at(`again.${extension}`)])
      const made = at(`${extension}.index`)
      const format = ['--format', 'vector-search', '--similarity', 'dot']
      await twotower(['index', at(`again.${extension}`), ...format, '-o', made])
      expect(await exported(made, `${extension}.out.json`)).toBe(wanted)
    }
  })

  test('of Avro need no format', async () => {
    const { status, stderr } = await make(avro)
    expect([status, stderr]).toEqual([0, expect.stringContaining('3 items of 3 numbers')])
  })

  test.each([
    [
      'of another width',
      { 'a.csv': '1,1,2,3\n', 'b.csv': '2,1,2\n3,1,2,3\n' },
      1,
      /b\.csv:1: .*has 2 dimensions, the ones before have 3/,
    ],
    ['with NaN', { 'a.csv': '1,1,2,NaN\n2,1,2,3\n' }, 1, /a\.csv:1: cell 4 must be a finite number/],
    [
      'with malformed restricts',
      { 'a.csv': '1,1,color=red,#size=3\n2,1\n' },
      1,
      /a\.csv:1: cell 4, "#size=3", must end in/,
    ],
    ['with an id twice', { 'a.csv': '1,1,2\n', 'b.csv': '1,3,4\n' }, 1, /the id "1" is there twice/],
    [
      'cut short',
      { 'a.avro': readFileSync(avro).subarray(0, 1300) },
      1,
      /a\.avro: the file ends in block \d+.*cut short/,
    ],
    ['that are no Avro', { 'a.avro': '{"id": "1", "embedding": [1]}' }, 1, /a\.avro: it is no Avro file/],
    ['with other files', { 'a.csv': '1,1\n', 'README.md': '' }, 1, /README\.md: a batch of Vector Search holds/],
    ['that also delete what they hold', { 'a.csv': '1,1\n', 'delete/x': '1\n' }, 1, /the id "1" is in delete\/ too/],
  ])('%s are refused, or the bad record left out', async (name, files, wanted, problem) => {
    const { status, stderr } = await make(batch(name.replaceAll(' ', '-'), files), '--format', 'vector-search')
    expect(stderr).toMatch(problem)
    expect(status).toBe(wanted)
  })
})

async function exported(from: string, name: string): Promise<string> {
  await twotower(['export', from, '-o', at(name)])
  return readFileSync(at(name), 'utf8')
}

describe.concurrent('twotower export', () => {
  test('leaves what was there where a format cannot hold an item, and nothing half written', async () => {
    const bad = at('bad.json')
    writeFileSync(bad, jsonl({ ...item('a', 1), restricts: [{ namespace: 'x=y', allow: ['z'] }] }))
    await twotower(['index', bad, '--similarity', 'dot', '-o', at('bad.index')])
    writeFileSync(at('kept.csv'), 'as it was')
    const { status, stderr } = await run(['export', at('bad.index'), '-o', at('kept.csv')])
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/CSV cannot hold the namespace "x=y".*kept\.csv" is not written, what was there before is/),
    ])
    expect(readFileSync(at('kept.csv'), 'utf8')).toBe('as it was')
    expect(readdirSync(folder).filter((name) => name.includes('unfinished'))).toEqual([])
  })

  test.each([
    [['items.index', '-o', 'x.txt'], 2, '--format must be pgvector (.sql), '],
    [['items.index', '-o', 'x', '--format', 'excel'], 2, 'got "excel"'],
    [['items.index', '-o', 'x.npy', '--table', 't'], 2, '--table is for --format pgvector'],
    [['none.index', '-o', 'x.npy'], 1, 'none.index'],
    [['items.json', '-o', 'x.npy'], 1, 'items.json'],
  ])('%j is refused', async (args, wanted, problem) => {
    const { status, stderr } = await run(['export', at(args[0]), args[1], at(args[2]), ...args.slice(3)])
    expect([status, stderr]).toEqual([wanted, expect.stringContaining(problem)])
  })
})

test('a server has one set of items, and they fit its model', async () => {
  const both = await run(['serve', '--index', index, '--items', at('items.json')])
  expect([both.status, both.stderr]).toEqual([2, expect.stringContaining('--items and --index are two sets of items')])
  const other = await run(['serve', model('tower_signatures'), '--index', index, '--port', '0'])
  const problem = 'the query tower gives 64 dimensions, the items of the index have 3'
  expect([other.status, other.stderr]).toEqual([1, expect.stringContaining(problem)])
})

// PGlite is PostgreSQL itself, compiled to WebAssembly, with pgvector beside it.
describe('an export to pgvector', () => {
  let postgres: PGlite
  beforeAll(async () => {
    postgres = await PGlite.create({ extensions: { vector } })
  })
  afterAll(() => postgres.close())

  const odd = {
    ...item('a\t\\b\n"c"\r', 1, -0.5),
    restricts: [
      { namespace: 'genre', allow: ["it's \\ new"] },
      { namespace: 'genre', deny: ['war'] },
    ],
    crowding_tag: '\\N',
  }
  // An int that no double holds.
  const odds = `${JSON.stringify(odd).slice(0, -1)}, "numeric_restricts": [{"namespace": "year", "value_int": "9223372036854775807"}]}\n`
  const ids = [odd.id, 'b', 'c', 'd']

  /** The rows that a statement gives. */
  const asked = async <Row>(sql: string, ...values: readonly unknown[]): Promise<Row[]> =>
    (await postgres.query<Row>(sql, [...values])).rows

  /** As psql -f runs a script: what stands behind COPY … FROM stdin, up to its end, are the rows. */
  async function load(script: string): Promise<void> {
    const [before, behind] = script.split(' FROM stdin;\n')
    const [rows, after] = behind.split('\n\\.\n')
    const copy = before.lastIndexOf('COPY ')
    await postgres.exec(before.slice(0, copy))
    await postgres.query(`${before.slice(copy)} FROM '/dev/blob'`, [], { blob: new Blob([rows, '\n']) })
    await postgres.exec(after)
  }

  // By pgvector's own words of its operators.
  test.each([
    ['dot', '<#>', (score: number) => -score],
    ['cosine', '<=>', (score: number) => 1 - score],
    ['euclidean', '<->', (score: number) => score],
  ] as const)('of %s is loaded by PostgreSQL, which ranks the same', async (similarity, operator, distanceOf) => {
    const [items, queries, made] = ['jsonl', 'queries.jsonl', 'index'].map((end) => at(`${similarity}.${end}`))
    writeFileSync(items, odds + jsonl(item('b', 0, 2), item('c', 3, 1), item('d', -1, 1)))
    writeFileSync(queries, jsonl({ embedding: [1, 2] }))
    await twotower(['index', items, '--similarity', similarity, '-o', made])
    const table = `my "${similarity}"`
    await twotower(['export', made, '-o', at(`${similarity}.sql`), '--table', table])
    await load(readFileSync(at(`${similarity}.sql`), 'utf8'))

    const name = `"my ""${similarity}"""`
    expect(
      await asked(
        `SELECT id, restricts, numbers->>'year' AS year, crowding_tag FROM ${name} WHERE id <> 'd' ORDER BY id`,
      ),
    ).toEqual([
      {
        id: odd.id,
        restricts: { genre: { allow: ["it's \\ new"], deny: ['war'] } },
        year: '9223372036854775807',
        crowding_tag: '\\N',
      },
      { id: 'b', restricts: {}, year: null, crowding_tag: null },
      { id: 'c', restricts: {}, year: null, crowding_tag: null },
    ])
    const { neighbors } = JSON.parse(await twotower(['search', '--index', made, queries, '-k', '4'])) as {
      readonly neighbors: readonly { readonly id: string; readonly score: number }[]
    }
    const found = await asked<{ readonly id: string; readonly distance: number }>(
      `SELECT id, embedding ${operator} '[1,2]' AS distance FROM ${name} ORDER BY 2`,
    )
    expect(found.map(({ id }) => id)).toEqual(neighbors.map(({ id }) => id))
    expect([...ids].sort()).toEqual(found.map(({ id }) => id).sort())
    for (const [i, { distance }] of found.entries()) expect(distance).toBeCloseTo(distanceOf(neighbors[i].score), 6)
    // The index for the nearest is one of these operators, and is taken where rows are not scanned.
    await postgres.exec('SET enable_seqscan = off')
    const plan = await asked<{ readonly 'QUERY PLAN': string }>(
      `EXPLAIN SELECT id FROM ${name} ORDER BY embedding ${operator} '[1,2]' LIMIT 2`,
    )
    expect(plan.map((line) => line['QUERY PLAN']).join('\n')).toContain('_embedding_idx')
    await postgres.exec('RESET enable_seqscan')
    // The query that the script proposes.
    const filtered = `SELECT id FROM ${name} WHERE restricts @> $1 AND (numbers->>'year')::bigint >= 1950 ORDER BY embedding ${operator} '[1,2]'`
    expect(await asked(filtered, { genre: { deny: ['war'] } })).toEqual([{ id: odd.id }])
  })
})
