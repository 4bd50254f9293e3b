import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { ItemIndex } from '../../src/search/itemindex.ts'
import { convertDemo, DEMO, demoRanking, difference, jsonl, lines, run, scratch, twotower } from './command.ts'

const folder = scratch()
const bundle = join(folder, 'demo')
const demo = join(folder, 'demo.index')
const small = join(folder, 'small.index')
const none = join(folder, 'none.index')
const parts = join(folder, 'parts.index')
const dot = { metric: 'dot', scale: 1, bias: 0, sigmoid: false } as const

beforeAll(async () => {
  await convertDemo(bundle)
  const vectors = join(folder, 'films.vectors.jsonl')
  await twotower(['embed', bundle, join(DEMO, 'films.jsonl'), '--tower', 'candidate', '-o', vectors])
  const films = readFileSync(vectors, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; embedding: number[] })
    .map(({ id, embedding }) => ({ id, embedding: Float32Array.from(embedding) }))
  await (await ItemIndex.of(films, { similarity: 'cosine' })).save(demo)
  const item = (id: string, score: number, genre: string) => ({
    id,
    embedding: Float32Array.of(score, 1),
    restricts: [{ namespace: 'genre', allow: [genre] }],
  })
  const items = [item('laura', 6, 'noir'), item('exodus', 4, 'drama'), item('gilda', 3, 'noir')]
  await (await ItemIndex.of(items, { similarity: dot })).save(small)
  const changed = await ItemIndex.open(small)
  await changed.upsert([item('m', 5, 'noir')])
  await changed.remove(['laura'])
  await changed.close()
  await (await ItemIndex.of([], { similarity: dot, width: 2 })).save(none)
  const partitioned = await ItemIndex.of(films, { similarity: 'cosine' })
  await partitioned.partition()
  await partitioned.save(parts)
})

const answersOf = (finished: Awaited<ReturnType<typeof run>>) =>
  lines(finished).map((line) => JSON.parse(line) as Record<string, unknown>)

describe.concurrent('search over an index', () => {
  test('ranks the films of an index as TensorFlow did', async () => {
    const finished = await run(['search', bundle, join(DEMO, 'viewers.jsonl'), '--index', demo])
    expect(finished).toMatchObject({ status: 0, stderr: '' })
    const answers = answersOf(finished) as { id: string; neighbors: { id: string; score: number }[] }[]
    for (const [i, { viewer, top }] of demoRanking().entries()) {
      expect(answers[i].id).toBe(viewer)
      expect(answers[i].neighbors.map(({ id }) => id)).toEqual(top.map(({ id }) => id))
      const scores = answers[i].neighbors.map(({ score }) => score)
      expect(
        difference(
          scores,
          top.map(({ score }) => score),
        ),
      ).toBeLessThan(1e-6)
    }
  })

  test('needs no model where queries are embeddings, of a file or of standard input', async () => {
    const queries = join(folder, 'queries.jsonl')
    writeFileSync(queries, jsonl({ id: 1, embedding: [1, 0] }))
    const wanted = [{ id: 1, neighbors: [{ id: 'm', score: 5 }] }]
    expect(answersOf(await run(['search', '--index', small, '-k', '1', queries]))).toEqual(wanted)
    expect(answersOf(await run(['search', '--index', small, '-k', '1'], readFileSync(queries)))).toEqual(wanted)
    expect(answersOf(await run(['search', '--index', small, '-k', '1', '-'], readFileSync(queries)))).toEqual(wanted)
  })

  test('filters and explains what was put in since, and not what was taken out', async () => {
    const filter = JSON.stringify({ restricts: [{ namespace: 'genre', allow: ['noir'] }] })
    const [{ neighbors, explained }] = answersOf(
      await run(
        [
          'search',
          '--index',
          small,
          '--filter',
          filter,
          '--explain',
          '--explain-id',
          'exodus',
          '--explain-id',
          'laura',
        ],
        jsonl({ embedding: [1, 0] }),
      ),
    )
    expect(neighbors).toMatchObject([
      { id: 'm', score: 5, explain: { rank: 1, filtered_rank: 1 } },
      { id: 'gilda', score: 3, explain: { rank: 3, filtered_rank: 2 } },
    ])
    expect(explained).toMatchObject([
      { id: 'exodus', missing: 'filter', rank: 2, filtered_rank: null },
      { id: 'laura', error: 'the index has no item "laura"' },
    ])
  })

  test('searches partitions approximately, all of them exactly', async () => {
    const viewers = join(DEMO, 'viewers.jsonl')
    const exact = await run(['search', bundle, viewers, '--index', parts])
    expect(await run(['search', bundle, viewers, '--index', parts, '--leaves', '1'])).toEqual(exact)
    const [{ viewer, embedding, top }] = demoRanking()
    const [all, few, one] = answersOf(
      await run(
        ['search', '--index', parts, '--approximate', '-k', '1', '--explain-id', top[1].id],
        jsonl(
          { id: viewer, embedding, fraction_leaf_nodes_to_search_override: 1 },
          { id: viewer, embedding: embedding.map((value) => -value), fraction_leaf_nodes_to_search_override: 1e-9 },
          { id: viewer, embedding, fraction_leaf_nodes_to_search_override: 2 },
        ),
      ),
    )
    expect(all).toMatchObject({ neighbors: [{ id: top[0].id }], explained: [{ place: null, missing: 'k', rank: 2 }] })
    expect(few.neighbors).toHaveLength(1)
    expect(one.error).toBe(
      'standard input:3: "fraction_leaf_nodes_to_search_override" must be over 0 and at most 1, got 2',
    )
    const without = await run(['search', '--index', small, '--approximate'])
    expect(without.status).toBe(1)
    expect(without.stderr).toContain('small.index has no partitions to search approximately')
  })

  test('puts an error in the place of a query of another width, that is not finite, or of features without a model', async () => {
    const queries = `${jsonl({ embedding: [1] }, { genre: 'noir' })}{"embedding": [1, NaN]}\n`
    const finished = await run(['search', '--index', small], queries)
    expect(finished.status).toBe(1)
    expect(answersOf(finished)).toEqual([
      {
        error: `standard input:1: the query has 1 dimensions, the items have 2: ${small} is of other towers`,
      },
      { error: 'standard input:2: there is no model to embed features: a row must hold its "embedding"' },
      { error: "standard input:3: number 1 of the query's embedding is NaN, it must be finite" },
    ])
    const [first] = answersOf(await run(['search', bundle, join(DEMO, 'viewers.jsonl'), '--index', small]))
    expect(first.error).toContain('the query has 64 dimensions')
  })

  test('says so where the index is empty, is none, or is not there', async () => {
    expect(await run(['search', '--index', none])).toEqual({
      status: 1,
      stdout: '',
      stderr: `twotower: there is no item to search in ${none}\n`,
    })
    const foreign = await run(['search', '--index', join(DEMO, 'films.jsonl')])
    expect(foreign.status).toBe(1)
    expect(foreign.stderr).toContain('films.jsonl')
    const missing = await run(['search', '--index', join(folder, 'nothing.index')])
    expect(missing.status).toBe(1)
    expect(missing.stderr).toContain('nothing.index')
  })

  test.each([
    [[], 'search wants items: --items FILE of rows, or --index FILE'],
    [['--index', small, '--items', 'x'], 'search wants items'],
    [['--items', 'x'], 'search wants a MODEL with --items'],
    [['--items', 'x', '--approximate'], '--approximate and --leaves go with --index'],
    [['--index', small, '--leaves', '0'], '--leaves wants a share over 0 and at most 1, got "0"'],
    [['--index', small, '--similarity', 'dot'], '--similarity does not go with --index'],
  ])('refuses %j', async (args, message) => {
    const finished = await run(['search', ...args])
    expect(finished.status).toBe(2)
    expect(finished.stderr).toContain(message)
  })
})
