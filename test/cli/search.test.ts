import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  convertDemo,
  DEMO,
  demoRanking,
  difference,
  type Finished,
  jsonl,
  lines,
  run,
  scratch,
  twotower,
} from './command.ts'

const folder = scratch()
const bundle = join(folder, 'demo')
const vectors = join(folder, 'films.vectors.jsonl')
beforeAll(async () => {
  await convertDemo(bundle)
  await twotower(['embed', bundle, join(DEMO, 'films.jsonl'), '--tower', 'candidate', '-o', vectors])
})

interface Answer {
  readonly id?: string
  readonly neighbors: readonly { readonly id: string; readonly score: number }[]
  readonly error?: string
}

const answersOf = (finished: Finished): Answer[] => lines(finished).map((line) => JSON.parse(line) as Answer)

/** That `answers` are the first `k` of TensorFlow's ranking. */
function expectRanking(answers: readonly Answer[], k: number): void {
  const ranking = demoRanking()
  expect(answers.map(({ id }) => id)).toEqual(ranking.map(({ viewer }) => viewer))
  answers.forEach(({ neighbors }, i) => {
    const top = ranking[i].top.slice(0, k)
    expect(neighbors.map(({ id }) => id)).toEqual(top.map(({ id }) => id))
    expect(
      difference(
        neighbors.map(({ score }) => score),
        top.map(({ score }) => score),
      ),
    ).toBeLessThan(1e-6)
  })
}

describe.concurrent('search', () => {
  const viewers = join(DEMO, 'viewers.jsonl')

  test("ranks all films as TensorFlow did, from the films' features", async () => {
    const finished = await run(['search', bundle, viewers, '--items', join(DEMO, 'films.jsonl')])
    expect(finished).toMatchObject({ status: 0, stderr: '' })
    expectRanking(answersOf(finished), 10)
  })

  test('ranks them likewise from what embed wrote, -k of them', async () => {
    expectRanking(answersOf(await run(['search', bundle, viewers, '--items', vectors, '-k', '3'])), 3)
  })

  test('takes queries that are embeddings already', async () => {
    const queries = demoRanking().map(({ viewer, embedding }) => ({ id: viewer, embedding }))
    expectRanking(answersOf(await run(['search', bundle, '--items', vectors, '--k', '10'], jsonl(...queries))), 10)
  })

  test('searches vectors with one tower alone, once the similarity is chosen', async () => {
    const query = join(DEMO, 'query_model')
    const unknown = await run(['search', query, viewers, '--items', vectors])
    expect(unknown.status).toBe(2)
    expect(unknown.stderr).toMatch(/^twotower: .*choose with --similarity dot, cosine or euclidean\n$/)
    expectRanking(answersOf(await run(['search', query, viewers, '--items', vectors, '--similarity', 'cosine'])), 10)
    const features = await run([
      'search',
      query,
      viewers,
      '--items',
      join(DEMO, 'viewers.jsonl'),
      '--similarity',
      'cosine',
    ])
    expect(features.status).toBe(1)
    expect(features.stderr).toContain('the model has no candidate tower: a row must hold its "embedding"')
  })

  test('gives all items where there are fewer than k', async () => {
    const items = join(folder, 'few.jsonl')
    writeFileSync(items, jsonl({ id: 'a', embedding: [1, 0] }, { id: 'b', embedding: [0, 1] }))
    const [{ neighbors }] = answersOf(await run(['search', bundle, '--items', items], jsonl({ embedding: [0, 2] })))
    expect(neighbors).toEqual([
      { id: 'b', score: 1 },
      { id: 'a', score: 0 },
    ])
  })

  test('reports a bad item and leaves it out, and puts an error in the place of a bad query', async () => {
    const items = join(folder, 'items.jsonl')
    writeFileSync(
      items,
      jsonl({ id: 'a', embedding: [1, 0] }, { embedding: [1, 0] }, { id: 'c', embedding: [1] }, '{', {
        id: 'd',
        embedding: [0, 1],
      }),
    )
    const finished = await run(
      ['search', bundle, '--items', items],
      jsonl({ embedding: [0, 2] }, { id: 'q', embedding: [1, 2, 3] }, 'x', { embedding: [2, 1] }),
    )
    expect(finished.status).toBe(1)
    const said = finished.stderr.trimEnd().split('\n')
    expect(said).toHaveLength(3)
    said.forEach((line, i) => {
      expect(line).toContain(`items.jsonl:${i + 2}: `)
    })
    const answers = answersOf(finished)
    expect(answers[0].neighbors.map(({ id }) => id)).toEqual(['d', 'a'])
    expect(answers[1]).toEqual({
      id: 'q',
      error: 'standard input:2: the query has 3 dimensions, the items have 2',
    })
    expect(answers[2].error).toMatch(/^standard input:3: /)
    expect(answers[3].neighbors.map(({ id }) => id)).toEqual(['a', 'd'])
  })

  test('says so where there is nothing to search', async () => {
    const none = join(folder, 'none.jsonl')
    writeFileSync(none, '\n')
    const finished = await run(['search', bundle, viewers, '--items', none])
    expect(finished).toEqual({ status: 1, stdout: '', stderr: `twotower: there is no item to search in ${none}\n` })
  })

  test('refuses a k that is no count, and asks for --items', async () => {
    for (const k of ['0', '-1', '1.5', 'ten'])
      expect(await run(['search', bundle, '--items', vectors, '-k', k])).toMatchObject({
        status: 2,
        stderr: `twotower: --k wants a positive integer, got "${k}"\n`,
      })
    expect((await run(['search', bundle])).status).toBe(2)
  })
})
