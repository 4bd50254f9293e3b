import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DEMO, jsonl, lines, run, scratch } from './command.ts'

// Items of two numbers by their product with the query [1, 0]: the first number is the score.
const folder = scratch()
const items = join(folder, 'films.jsonl')
const film = (id: string, score: number, genre: string, year: number, director: string) => ({
  id,
  embedding: [score, 1],
  restricts: [{ namespace: 'genre', allow: genre.split(' ') }],
  numeric_restricts: [{ namespace: 'year', value_int: year }],
  crowding_tag: director,
})
writeFileSync(
  items,
  jsonl(
    film('laura', 6, 'noir', 1944, 'preminger'),
    film('fallen angel', 5, 'noir', 1945, 'preminger'),
    film('exodus', 4, 'drama', 1960, 'preminger'),
    film('gilda', 3, 'noir drama', 1946, 'vidor'),
    film('m', 2, 'crime', 1931, 'lang'),
    film('metropolis', 1, 'drama', 1927, 'lang'),
  ),
)
const query = { embedding: [1, 0] }
const search = (args: readonly string[], ...queries: object[]) =>
  run(
    ['search', join(DEMO, 'query_model'), '--similarity', 'dot', '--items', items, ...args],
    jsonl(...(queries.length === 0 ? [query] : queries)),
  )

interface Answer {
  readonly neighbors: readonly { readonly id: string; readonly score: number; readonly explain?: unknown }[]
  readonly explained?: readonly unknown[]
  readonly error?: string
}
const answersOf = async (finished: ReturnType<typeof search>) =>
  lines(await finished).map((line) => JSON.parse(line) as Answer)
const found = async (finished: ReturnType<typeof search>) =>
  (await answersOf(finished)).map(({ neighbors, error }) => error ?? neighbors.map(({ id }) => id))

const noir = { restricts: [{ namespace: 'genre', allow: ['noir'] }] }
const before1946 = { numeric_restricts: [{ namespace: 'year', value_int: 1946, op: 'LESS' }] }

describe.concurrent('search with filters', () => {
  test('takes a filter as JSON in either spelling, or from a file', async () => {
    expect(await found(search(['--filter', JSON.stringify({ ...noir, ...before1946 })]))).toEqual([
      ['laura', 'fallen angel'],
    ])
    const file = join(folder, 'filter.json')
    const camel = { numericRestricts: [{ namespace: 'year', valueInt: '1946', op: 'GREATER_EQUAL' }] }
    writeFileSync(file, JSON.stringify(camel))
    expect(await found(search(['--filter', file]))).toEqual([['exodus', 'gilda']])
  })

  test('leaves out what is excluded, and more than so many of one crowd', async () => {
    expect(await found(search(['--exclude', 'laura', '--exclude', 'm', '--per-crowding-tag', '1']))).toEqual([
      ['fallen angel', 'gilda', 'metropolis'],
    ])
  })

  test('lets a query say for itself what the options say for all', async () => {
    const options = ['--filter', JSON.stringify(noir), '--exclude', 'laura']
    expect(
      await found(
        search(
          options,
          query,
          { ...query, ...before1946 },
          { ...query, restricts: [{ namespace: 'genre', deny: ['noir'] }], neighbor_count: 2 },
          { ...query, restricts: [], include: ['m', 'laura', 'gilda'] },
          { ...query, exclude: ['gilda'], neighborCount: 1 },
          { ...query, restricts: [], per_crowding_attribute_neighbor_count: 1 },
          { ...query, restricts: [{ namespace: '' }] },
          { ...query, neighbor_count: 0 },
          { ...query, neighbor_count: 2n ** 64n - 1n },
          { embedding: [1] },
        ),
      ),
    ).toEqual([
      ['fallen angel', 'gilda'],
      ['fallen angel'],
      ['exodus', 'm'],
      ['gilda', 'm'],
      ['fallen angel'],
      ['fallen angel', 'gilda', 'm'],
      'standard input:7: a restrict must name its namespace, got ""',
      'standard input:8: "neighbor_count" must be a positive integer, got 0',
      'standard input:9: "neighbor_count" must be a positive integer, got 18446744073709551615',
      'standard input:10: the query has 1 dimensions, the items have 2',
    ])
  })

  test('explains why an item is there, and why another is not', async () => {
    const [{ neighbors, explained }] = await answersOf(
      search([
        ...['--filter', JSON.stringify(noir), '--per-crowding-tag', '1', '-k', '2', '--explain'],
        ...['--explain-id', 'fallen angel', '--explain-id', 'exodus', '--explain-id', 'm (1951)'],
      ]),
    )
    const condition = { condition: '"genre" allows noir', item: 'allows noir', holds: true }
    const contributions = (score: number) => [
      { dimension: 0, query: 1, item: score, contribution: score },
      { dimension: 1, query: 0, item: 1, contribution: 0 },
    ]
    expect(neighbors[0]).toEqual({
      id: 'laura',
      score: 6,
      explain: {
        metric: 6,
        rank: 1,
        filtered_rank: 1,
        contributions: contributions(6),
        conditions: [condition],
        crowding: { tag: 'preminger', before: 0, limit: 1 },
      },
    })
    expect(neighbors[1]).toMatchObject({ id: 'gilda', explain: { rank: 4, filtered_rank: 3 } })
    expect(explained).toEqual([
      {
        id: 'fallen angel',
        score: 5,
        place: null,
        missing: 'crowding',
        metric: 5,
        rank: 2,
        filtered_rank: 2,
        contributions: contributions(5),
        conditions: [condition],
        crowding: { tag: 'preminger', before: 1, limit: 1 },
      },
      {
        id: 'exodus',
        score: 4,
        place: null,
        missing: 'filter',
        metric: 4,
        rank: 3,
        filtered_rank: null,
        contributions: contributions(4),
        conditions: [{ condition: '"genre" allows noir', item: 'allows drama', holds: false }],
        crowding: { tag: 'preminger', before: 2, limit: 1 },
      },
      { id: 'm (1951)', error: 'the index has no item "m (1951)"' },
    ])
  })

  test('reports an item whose restricts are none, and leaves it out', async () => {
    const bad = join(folder, 'bad.jsonl')
    const strange = { id: 'b', embedding: [2, 0], numeric_restricts: [{ namespace: 'n', value_int: 1, op: 'LESS' }] }
    writeFileSync(bad, jsonl({ id: 'a', embedding: [1, 0] }, strange))
    const finished = await search(['--items', bad])
    expect(finished.status).toBe(1)
    expect(finished.stderr).toContain('bad.jsonl:2: a numeric restrict has no member "op"')
    expect(JSON.parse(finished.stdout)).toEqual({ neighbors: [{ id: 'a', score: 1 }] })
  })

  test.each([
    ['--filter', '{"restrict": []}', '--filter: a filter has no member "restrict"'],
    ['--filter', '{', '--filter: '],
    ['--per-crowding-tag', '0', '--per-crowding-tag wants a positive integer, got "0"'],
  ])('refuses %s %s', async (option, value, message) => {
    const finished = await search([option, value])
    expect(finished.status).toBe(2)
    expect(finished.stderr).toContain(message)
  })
})
