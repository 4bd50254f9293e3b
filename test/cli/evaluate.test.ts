import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { beforeAll, describe, expect, test } from 'vitest'
import { convertDemo, DEMO, jsonl, run, scratch, twotower } from './command.ts'

const folder = scratch()
const BUNDLE = join(folder, 'demo')
const FILMS = join(DEMO, 'films.jsonl')
const HELD = ['--interactions', join(DEMO, 'held.jsonl')]
const SEEN = ['--exclude-seen', join(DEMO, 'seen.jsonl')]

interface Estimate {
  readonly mean: number
  readonly low: number
  readonly high: number
}

interface At {
  readonly k: number
  readonly measures: Readonly<Record<string, Estimate>>
  readonly more: Readonly<Record<string, Estimate>> | null
  readonly agreement: Estimate | null
  readonly coverage: number
  readonly gini: number
  readonly popularity: number
  readonly longTail: number
}

interface Report {
  readonly items: number
  readonly queries: number
  readonly relevant: number
  readonly unknown: number
  readonly seen: number
  readonly interactions: Readonly<Record<string, number>>
  readonly systems: readonly { readonly system: string; readonly at: readonly At[] }[]
}

const report = async (...args: readonly string[]): Promise<Report> =>
  JSON.parse(await twotower(['evaluate', ...args, '--json'])) as Report

/** A catalogue of three items and what to ask of it, as embeddings. */
const ITEMS = join(folder, 'items.jsonl')
function held(...rows: readonly unknown[]): readonly string[] {
  const file = join(folder, `held${Math.random()}.jsonl`)
  writeFileSync(file, jsonl(...rows))
  return ['--items', ITEMS, '--interactions', file]
}

beforeAll(async () => {
  await convertDemo(BUNDLE)
  const items = [
    { id: 'a', embedding: [1, 0] },
    { id: 'b', embedding: [0.8, 0.6] },
    { id: 'c', embedding: [0, 1] },
  ]
  writeFileSync(ITEMS, jsonl(...items))
})

describe.concurrent('evaluate', () => {
  test("measures what trec_eval measures of TensorFlow's rankings", async () => {
    const golden = JSON.parse(
      readFileSync(fileURLToPath(new URL('../fixtures/evaluate/demo.json', import.meta.url)), 'utf8'),
    ) as {
      readonly at: Readonly<Record<string, Readonly<Record<string, number>>>>
      readonly coverage: Readonly<Record<string, number>>
    }
    const { systems, queries, unknown, seen } = await report(BUNDLE, '--items', FILMS, ...HELD, ...SEEN)
    expect({ queries, unknown, seen }).toEqual({ queries: 100, unknown: 0, seen: 0 })
    expect(systems.map(({ system }) => system)).toEqual(['float32', 'most popular'])
    for (const { k, measures, coverage } of systems[0].at) {
      for (const [name, wanted] of Object.entries(golden.at[k])) expect(measures[name].mean).toBeCloseTo(wanted, 10)
      expect(coverage).toBeCloseTo(golden.coverage[k], 10)
      for (const { mean, low, high } of Object.values(measures)) {
        expect(low).toBeLessThan(mean)
        expect(high).toBeGreaterThan(mean)
      }
    }
  })

  test('holds the model in bytes and other models against it', async () => {
    const svg = join(folder, 'chart.svg')
    const args = [BUNDLE, '--items', FILMS, ...HELD, '--int8', '--against', BUNDLE, '-k', '100,5', '--svg', svg]
    const { systems } = await report(...args)
    expect(systems.map(({ system, at }) => [system, at.map(({ k }) => k)])).toEqual([
      ['float32', [5, 100]],
      ['int8', [5, 100]],
      [BUNDLE, [5, 100]],
    ])
    const [float32, int8, same] = systems.map(({ at }) => at[1])
    expect(float32.more).toBeNull()
    expect(int8.agreement?.mean).toBeGreaterThan(0.9)
    expect(int8.agreement?.mean).toBeLessThan(1)
    expect(int8.more?.recall.mean).toBeCloseTo(int8.measures.recall.mean - float32.measures.recall.mean, 12)
    expect(same.agreement).toEqual({ mean: 1, low: 1, high: 1 })
    expect(same.more?.ndcg).toEqual({ mean: 0, low: 0, high: 0 })
    const drawn = readFileSync(svg, 'utf8')
    expect(drawn).toMatch(/^<svg [\s\S]*recall[\s\S]*float32[\s\S]*int8[\s\S]*<\/svg>\n$/)
    // Systems that are alike stand beside each other.
    const lines = [...drawn.matchAll(/<g[^>]*aria-label="line"/g)].map(([group]) => /translate\(([-\d.]+)/.exec(group))
    expect(lines.map((found) => Number(found?.[1] ?? 0))).toEqual([-6, 0, 6])
  })

  test('searches approximately too, and says how much of the exact lists that finds', async () => {
    const args = [BUNDLE, '--items', FILMS, ...HELD, ...SEEN, '-k', '10', '--leaves']
    const found = await Promise.all(['0.02', '1'].map((share) => report(...args, share)))
    const [few, all] = found.map(({ systems }) => systems[1])
    expect([few.system, all.system]).toEqual(['approximate', 'approximate'])
    expect(few.at[0].agreement?.mean).toBeGreaterThan(0.1)
    expect(few.at[0].agreement?.mean).toBeLessThan(all.at[0].agreement?.mean ?? 0)
    expect(all.at[0].agreement?.mean).toBeGreaterThan(0.98)
  })

  test('says the same twice', async () => {
    const args = ['evaluate', BUNDLE, '--items', FILMS, ...HELD, ...SEEN, '--json', '-k', '10']
    expect(await twotower([...args, '--seed', '3'])).toBe(await twotower([...args, '--seed', '3']))
  })

  test('reads CSV and Parquet, with members of any name', async () => {
    const csv = join(folder, 'held.csv')
    writeFileSync(csv, 'user,film,stars,embedding\n1,a,5,"[1, 0]"\n1,c,1,"[1, 0]"\n2,"[""c""]",2,"[0, 1]"\n')
    const parquet = join(folder, 'held.parquet')
    const columnData = [
      { name: 'user', data: ['1', '1', '2'], type: 'STRING' as const },
      { name: 'film', data: ['a', 'c', 'c'], type: 'STRING' as const },
      { name: 'stars', data: [5, 1, 2], type: 'INT32' as const },
      {
        name: 'embedding',
        data: [
          [1, 0],
          [1, 0],
          [0, 1],
        ],
        type: 'JSON' as const,
      },
    ]
    writeFileSync(parquet, new Uint8Array(parquetWriteBuffer({ columnData })))
    const members = ['--item', 'film', '--grade', 'stars', '--by', 'user', '-k', '1,3']
    for (const file of [csv, parquet]) {
      const found = await report(BUNDLE, '--items', ITEMS, '--interactions', file, ...members)
      expect({ file, queries: found.queries, relevant: found.relevant }).toEqual({ file, queries: 2, relevant: 3 })
      const [one, three] = found.systems[0].at.map(({ measures }) => measures)
      expect(one.recall.mean).toBe((1 / 2 + 1) / 2)
      // The first finds 5 at rank 1 and 1 at rank 3, where 1 at rank 2 would be best.
      expect(three.ndcg.mean).toBeCloseTo((5.5 / (5 + 1 / Math.log2(3)) + 1) / 2, 12)
    }
  })

  test('leaves out what is seen, and counts what cannot be found as missed', async () => {
    const seen = join(folder, 'seen.jsonl')
    writeFileSync(seen, jsonl({ id: 'u', items: ['a'] }, { id: 'v', items: ['b', 'gone'] }))
    const args = held(
      { id: 'u', embedding: [1, 0], items: ['b', 'gone'] },
      { id: 'v', embedding: [1, 0], items: ['b'] },
      { id: 'w', embedding: [1, 0], items: ['a'] },
    )
    const found = await report(BUNDLE, ...args, '--exclude-seen', seen, '-k', '1')
    expect(found).toMatchObject({ queries: 3, relevant: 4, unknown: 1, seen: 1 })
    const [{ measures, coverage }] = found.systems[0].at
    expect(measures.recall.mean).toBeCloseTo((1 / 2 + 0 + 1) / 3, 12)
    expect(coverage).toBeCloseTo(2 / 3, 12)
    const text = await twotower(['evaluate', BUNDLE, ...args, '--exclude-seen', seen, '-k', '1'])
    expect(text).toContain('relevant items that are not in the catalogue: 1 (25.0 %); they count as misses')
    expect(text).toContain('relevant items that are excluded as seen: 1 (25.0 %); they count as misses')
  })

  test('says what is doubled and what is longer than the catalogue, and measures it', async () => {
    const items = join(folder, 'doubled.jsonl')
    writeFileSync(items, readFileSync(ITEMS, 'utf8') + jsonl({ id: 'a', embedding: [1, 0] }))
    const args = held({ id: 'u', embedding: [1, 0], items: ['a', 'a', 'c'] }, { id: 'v', embedding: [1, 0], items: [] })
    const text = await twotower(['evaluate', BUNDLE, ...args.with(1, items), '-k', '2,50'])
    expect(text).toMatch(/^.*: 1 query, 2 relevant items, 3 items in the catalogue\n/)
    for (const said of [
      '1 item named again for the same query; the highest grade holds',
      '1 query with nothing relevant left out',
      '1 item of the catalogue there again: one with the first of the id',
      'lists of 50 are longer than the catalogue: they hold all of it',
    ])
      expect(text).toContain(said)
    const [{ measures }] = (await report(BUNDLE, ...args.with(1, items), '-k', '2')).systems[0].at
    expect(measures.precision.mean).toBe(0.5)
  })

  test('tells of bad rows and queries, and measures the others', async () => {
    const rows = [{ id: 'u', embedding: [1, 0], items: 'a' }, '{', { id: 'v' }, { embedding: [1], items: 'a' }]
    const { status, stdout, stderr } = await run(['evaluate', BUNDLE, ...held(...rows), '-k', '1'])
    expect(status).toBe(1)
    const said = stderr.trimEnd().split('\n')
    expect(said).toHaveLength(3)
    expect(said[1]).toMatch(/:3: the row has no "items": name the member that holds the relevant items with --item$/)
    expect(said[2]).toMatch(/:4: the query has 1 dimensions, the items have 2$/)
    expect(stdout).toContain('1 query, 1 relevant item, 3 items')
    expect(stdout).toContain('2 bad rows left out')
    expect(stdout).toContain('1 query that could not be answered left out')
  })

  test('ends where there is nothing to measure', async () => {
    const { status, stdout, stderr } = await run(['evaluate', BUNDLE, ...held({ embedding: [1, 0], items: [] })])
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(/^twotower: there is no query with a relevant item in .*\n$/)
    const none = await run(['evaluate', BUNDLE, '--items', ITEMS, '--interactions', join(folder, 'no.jsonl')])
    expect(none).toEqual({
      status: 1,
      stdout: '',
      stderr: `twotower: there is no file "${join(folder, 'no.jsonl')}"\n`,
    })
  })

  test('is called with what it can use', async () => {
    const bytes = join(folder, 'bytes')
    const sides = ['--query', `${DEMO}/query_model`, '--candidate', `${DEMO}/candidate_model`]
    await twotower(['convert', ...sides, '--dtype', 'int8', '-o', bytes])
    const args = held({ embedding: [1, 0], items: 'a' })
    for (const [wrong, said] of [
      [[BUNDLE, ...args, '-k', '0'], '--k wants a positive integer, got "0"'],
      [[BUNDLE, ...args, '--seed', 'x'], '--seed wants a whole number below 2^32, got "x"'],
      [[bytes, ...args, '--int8'], `${bytes} is in bytes already: --int8 wants the model in floats`],
    ] as const)
      expect(await run(['evaluate', ...wrong])).toEqual({ status: 2, stdout: '', stderr: `twotower: ${said}\n` })
    const named = await report(bytes, ...args, '-k', '1')
    expect(named.systems.map(({ system }) => system)).toEqual(['int8'])
  })
})
