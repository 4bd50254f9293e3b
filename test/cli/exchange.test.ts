import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
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

  test('delete more items than a call may have arguments', async () => {
    const ids = Array.from({ length: 200_000 }, (_, i) => `film ${i}\n`)
    const many = batch('many', { 'a.csv': 'new,1,2,3\n', 'delete/x': `a\n${ids.join('')}` })
    const into = at('many.index')
    copyFileSync(index, into)
    const { status, stderr } = await run(['index', many, '--format', 'vector-search', '--into', into])
    expect([status, stderr]).toEqual([0, expect.stringContaining('1 items taken out, 200000 were not there; 2 left')])
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
    expect(readdirSync(folder).filter((name) => name.startsWith('kept.csv'))).toEqual(['kept.csv'])
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
