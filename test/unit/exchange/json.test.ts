import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JSON_LINES } from '../../../src/exchange/vectorsearch.ts'
import { MOST_FLOAT } from '../../../src/serve/floats.ts'
import { items, meant, readAll, written } from './files.ts'

describe('JSON lines of Vector Search', () => {
  test('are read as its page on filtering has them', async () => {
    const text = `
{"id": "42", "embedding": [0.5, 1.0], "restricts": [{"namespace": "class", "allow": ["cat", "pet"]},{"namespace": "category", "allow": ["feline"]}]}
{"id": "43", "embedding": [0.6, 1.0], "numeric_restricts": [{"namespace": "size", "value_int": 3}, {"namespace": "ratio", "value_float": 0.1}], "crowding_tag": "x", "embedding_metadata": {"title": "Laura"}}
`
    expect(await readAll('items.json', text)).toEqual([
      {
        id: '42',
        embedding: Float32Array.of(0.5, 1),
        restricts: [
          { namespace: 'class', allow: ['cat', 'pet'] },
          { namespace: 'category', allow: ['feline'] },
        ],
      },
      {
        id: '43',
        embedding: Float32Array.of(0.6, 1),
        numericRestricts: [
          { namespace: 'size', type: 'int', value: 3n },
          { namespace: 'ratio', type: 'float', value: 0.1 },
        ],
        crowdingTag: 'x',
      },
    ])
  })

  test('come back as they were, every line of them JSON', async () => {
    await fc.assert(
      fc.asyncProperty(items(), async (all) => {
        const [bytes] = await written(JSON_LINES, all)
        for (const line of new TextDecoder().decode(bytes).split('\n').slice(0, -1)) JSON.parse(line)
        expect((await readAll('items.json', bytes, {}, 11)).map(meant)).toEqual(all.map(meant))
      }),
      // The largest float32, whose shortest text is more than it.
      { examples: [[[{ id: 'most', embedding: Float32Array.of(-MOST_FLOAT, MOST_FLOAT) }]]] },
    )
  })

  test.each([
    ['{"embedding": [1]}', 'must have an "id"'],
    ['{"id": "", "embedding": [1]}', 'must have an "id"'],
    ['{"id": "1"}', 'has no "embedding"'],
    ['{"id": "1", "embedding": []}', 'the embedding has no numbers'],
    ['{"id": "1", "embedding": [1, "2"]}', 'an embedding must be a list of numbers'],
    ['{"id": "1", "embedding": [1, NaN]}', 'number 1 of the embedding is NaN; it must be finite'],
    ['{"id": "1", "embedding": [3.4028236e38]}', '3.4028236e+38 to float without loss of precision'],
    ['{"id": "1", "embedding": [1e39]}', '1e+39 to float without loss of precision'],
    ['[{"id": "1", "embedding": [1]}]', 'a record must be a JSON object with "id" and "embedding"'],
    ['{"id": "1", "embedding": [1], "sparse_embedding": {"values": [1], "dimensions": [0]}}', 'is not searched here'],
    ['{"id": "1", "embedding": [1], "restricts": [{"allow": ["a"]}]}', 'a restrict must name its namespace'],
    ['{"id": "1", "embedding": [1], "numeric_restricts": [{"namespace": "a", "value_int": 1.5}]}', 'whole number'],
    ['{"id": "1", "embedding": [1], "numeric_restricts": [{"namespace": "a", "value_int": 1, "op": "LESS"}]}', 'op'],
    ['{"id": "1", "embedding": [1]', 'JSON'],
  ])('%s is refused', async (line, problem) => {
    await expect(readAll('items.json', `\n${line}\n`)).rejects.toThrow(/^items\.json:2: /)
    await expect(readAll('items.json', `\n${line}\n`)).rejects.toThrow(problem)
  })

  test('of two widths are refused, and a width that another was asked for', async () => {
    const text = '{"id": "1", "embedding": [1, 2]}\n{"id": "2", "embedding": [1, 2, 3]}\n'
    await expect(readAll('items.json', text)).rejects.toThrow(
      'items.json:2: the embedding of "2" has 3 dimensions, the ones before have 2',
    )
    await expect(readAll('items.json', text, { width: 3 })).rejects.toThrow('items.json:1: ')
  })

  test('that are bad are left out where they are told of', async () => {
    const problems: string[] = []
    const text = '{"id": "1", "embedding": [1]}\nnonsense\n{"id": "3", "embedding": [3]}\n'
    const all = await readAll('items.json', text, { bad: (problem) => problems.push(problem) })
    expect(all.map(({ id }) => id)).toEqual(['1', '3'])
    expect(problems).toEqual([expect.stringMatching(/^items\.json:2: /)])
  })

  test('hold no infinities, which JSON has no number for', async () => {
    const numericRestricts = [{ namespace: 'a', type: 'double' as const, value: Infinity }]
    await expect(written(JSON_LINES, [{ id: '1', embedding: Float32Array.of(1), numericRestricts }])).rejects.toThrow(
      'the value in the namespace "a" is Infinity',
    )
  })

  test('are of files that are named so', async () => {
    await expect(readAll('items.txt', '')).rejects.toThrow('items.txt: the name of a file of Vector Search ends in')
    expect(await readAll('ITEMS.JSONL', '{"id": 7, "embedding": [1]}')).toEqual([
      { id: '7', embedding: Float32Array.of(1) },
    ])
  })
})
