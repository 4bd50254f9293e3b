import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { jsonl, run, scratch, twotower } from './command.ts'

const folder = scratch()
const items = join(folder, 'items.jsonl')
const queries = join(folder, 'queries.jsonl')
const index = join(folder, 'items.index')

/** A point near one of forty centres. */
const embedding = (seed: number): number[] =>
  Array.from({ length: 8 }, (_, i) => 3 * Math.sin((seed % 40) * 12.9 + i * 7.7) + Math.sin(seed * 3.1 + i) / 2)

beforeAll(async () => {
  writeFileSync(
    items,
    jsonl(...Array.from({ length: 2_000 }, (_, seed) => ({ id: `i${seed}`, embedding: embedding(seed) }))),
  )
  writeFileSync(
    queries,
    jsonl(...[5_001, 6_013, 7_022].map((seed) => ({ id: `q${seed}`, embedding: embedding(seed) }))),
  )
})

const search = (file: string, ...options: string[]) =>
  twotower(['search', queries, '--index', file, '-k', '3', ...options])

describe('partitions on the command line', () => {
  test('are learned with an index, which is then searched by them, and described', async () => {
    const { stderr } = await run([
      ...['index', items, '--similarity', 'cosine', '-o', index],
      ...['--approximate', '--leaf-items', '50', '--leaves', '0.5'],
    ])
    expect(stderr).toMatch(/^2,000 items in 40 partitions, \d+ in the largest\n2,000 items of 8 numbers in/)
    const exact = await search(index)
    expect(await search(index, '--approximate')).toBe(exact)
    expect(await search(index, '--approximate', '--leaves', '1')).toBe(exact)
    expect(await twotower(['index', index, '--stats'])).toMatch(/\npartitions 40 of 2,000 items, \d+ in the largest/)
    const stats = JSON.parse(await twotower(['index', index, '--stats', '--json']))
    expect(stats.partitions).toMatchObject({ items: 2_000, leaves: 40, odd: 0 })
  })

  test('are learned of an index that is there', async () => {
    const plain = join(folder, 'plain.index')
    await twotower(['index', items, '--similarity', 'dot', '-o', plain])
    const exact = await search(plain)
    expect((await run(['search', queries, '--index', plain, '--approximate'])).stderr).toMatch('has no partitions')
    expect((await run(['index', plain, '--approximate'])).stderr).toMatch(/2,000 items in 180 partitions/)
    expect(await search(plain, '--approximate')).toBe(exact)
  })

  test('are none under a negative scale, which is said: such an index is searched exactly', async () => {
    const turned = join(folder, 'turned.index')
    const made = await run(['index', items, '--similarity', 'dot', '--scale=-1', '-o', turned, '--approximate'])
    expect(made.stderr).toMatch(/^no partitions: a scale of -1 asks for what is least alike/)
    expect(made.status).toBe(0)
    expect(JSON.parse(await twotower(['index', turned, '--stats', '--json'])).partitions).toBe(null)
  })

  test.each([
    ['--leaf-items and --leaves go with --approximate', ['-o', index, '--leaves', '0.1']],
    ['--leaf-items wants a positive integer, got "0"', ['-o', index, '--approximate', '--leaf-items', '0']],
    ['--leaves wants a share over 0 and at most 1, got "2"', ['-o', index, '--approximate', '--leaves', '2']],
  ])('refuses: %s', async (message, options) => {
    const { stderr, status } = await run(['index', items, '--similarity', 'dot', ...options])
    expect(stderr).toMatch(message)
    expect(status).toBe(2)
  })
})
