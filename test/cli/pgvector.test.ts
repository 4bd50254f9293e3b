import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { jsonl, scratch, twotower } from './command.ts'
import { type Postgres, postgreses } from './postgres.ts'

const folder = scratch()
const at = (name: string): string => join(folder, name)
const item = (id: string, ...embedding: number[]) => ({ id, embedding })
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

describe.each(postgreses())('an export to pgvector, in %s', (_, start) => {
  let postgres: Postgres
  beforeAll(async () => {
    postgres = await start()
  })
  afterAll(() => postgres.close())

  // By pgvector's own words of its operators.
  test.each([
    ['dot', '<#>', (score: number) => -score],
    ['cosine', '<=>', (score: number) => 1 - score],
    ['euclidean', '<->', (score: number) => score],
  ] as const)('of %s is loaded, and ranked the same', async (similarity, operator, distanceOf) => {
    const [items, queries, made, script] = ['jsonl', 'queries.jsonl', 'index', 'sql'].map((end) =>
      at(`${similarity}.${end}`),
    )
    writeFileSync(items, odds + jsonl(item('b', 0, 2), item('c', 3, 1), item('d', -1, 1)))
    writeFileSync(queries, jsonl({ embedding: [1, 2] }))
    await twotower(['index', items, '--similarity', similarity, '-o', made])
    await twotower(['export', made, '-o', script, '--table', `my "${similarity}"`])
    await postgres.load(script)

    const name = `"my ""${similarity}"""`
    expect(
      await postgres.rows(
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
    const found = await postgres.rows<{ readonly id: string; readonly distance: number }>(
      `SELECT id, embedding ${operator} '[1,2]' AS distance FROM ${name} ORDER BY 2`,
    )
    expect(found.map(({ id }) => id)).toEqual(neighbors.map(({ id }) => id))
    expect(found.map(({ id }) => id).sort()).toEqual([odd.id, 'b', 'c', 'd'].sort())
    for (const [i, { distance }] of found.entries()) expect(distance).toBeCloseTo(distanceOf(neighbors[i].score), 6)
    // The index for the nearest is one of these operators, and is taken where rows are not scanned.
    const plan = await postgres.plan(`SELECT id FROM ${name} ORDER BY embedding ${operator} '[1,2]' LIMIT 2`)
    expect(plan).toContain('_embedding_idx')
    // The query that the script proposes.
    const filtered = `SELECT id FROM ${name} WHERE restricts @> '{"genre": {"deny": ["war"]}}' AND (numbers->>'year')::bigint >= 1950 ORDER BY embedding ${operator} '[1,2]'`
    expect(await postgres.rows(filtered)).toEqual([{ id: odd.id }])
  })
})
