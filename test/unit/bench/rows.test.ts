import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { declaredHint, featureHints, NO_HINT } from '../../../src/bench/hints.ts'
import { batchesOf, batchOf, fits, fixedBatch, madeRows } from '../../../src/bench/rows.ts'
import { define } from '../../../src/define.ts'
import { featuresOf, signaturePart, towerPart } from '../../../src/explain/explain.ts'
import type { Part } from '../../../src/explain/part.ts'
import type { Port } from '../../../src/graph/index.ts'
import { modelOf } from '../../../src/load.ts'
import { demo, fixture } from '../explain/open.ts'

const port = (name: string, dtype: Port['dtype'], shape: Port['shape']): Port => ({ name, dtype, shape })

const made = (part: Part, count: number) => {
  const features = featuresOf(part)
  return madeRows(features, featureHints(part.graph, part.inputs, features, part.declared), count)
}

describe('rows made from a signature', () => {
  const part = define(`${demo}/query_model`).then((definition) => signaturePart(definition, 'serving_default'))

  test('have words of the vocabularies that each feature is looked up in', async () => {
    const rows = made(await part, 50)
    const genres = new Set(
      readFileSync(`${demo}/viewers.jsonl`, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).favourite_genre),
    )
    const drawn = new Set(rows.map(({ favourite_genre }) => favourite_genre))
    expect([...genres].filter((genre) => drawn.has(genre)).length).toBeGreaterThan(2)
    // What is cut into words is several of them.
    for (const { recent_titles } of rows) expect(String(recent_titles).split(' ').length).toBeGreaterThan(3)
  })

  test('have numbers and vectors of the declared shapes, and are the same each time', async () => {
    const rows = made(await part, 3)
    for (const row of rows) {
      expect(row.taste).toHaveLength(8)
      expect(row.birth_year).toEqual(expect.any(Number))
    }
    expect(made(await part, 3)).toEqual(rows)
    expect(rows[0]).not.toEqual(rows[1])
  })

  // Examples, parsed at once and feature by feature, tables of ids and of words, ids that rows are gathered by, texts, pieces, defaults, two towers, scalars.
  for (const name of [
    'tfrs_pair/user_model',
    'fused_sequence',
    'text_vectorization',
    'bert_tower',
    'hashing',
    'examples',
    'example_towers',
    'two_shards',
    'keras3_fused',
    'defaults',
    'padded_ids',
    'sentencepieces',
    'scalar_inputs',
  ]) {
    test(`are what the model ${name} takes`, async () => {
      const definition = await define(fixture(name))
      const sides = (['query', 'candidate'] as const).filter((side) => definition.towers[side] !== null)
      const parts = [
        ...sides.map((side) => towerPart(definition, side)),
        ...definition.signatures.map(({ name }) => signaturePart(definition, name)),
      ]
      const model = await modelOf(definition)
      for (const part of parts) {
        const features = featuresOf(part)
        const batch = batchOf(made(part, 5), features, fixedBatch(features) ?? 7)
        const run = () =>
          part.kind === 'signature' ? model.run(part.name, batch) : model[part.name as 'query'].embed(batch)
        expect(run, part.name).not.toThrow()
      }
    })
  }
})

describe('hints of declared preprocessing', () => {
  test('are its vocabulary, whether it cuts text, and the length of a vector', () => {
    const vocabulary = ['red', 'green']
    expect(declaredHint({ type: 'Categorical', vocabulary })).toEqual({ ...NO_HINT, known: vocabulary })
    expect(declaredHint({ type: 'Text', vocabulary, length: 4 })).toEqual({ ...NO_HINT, known: vocabulary, text: true })
    expect(declaredHint({ type: 'Numeric', mean: 1, std: 2 })).toEqual({ ...NO_HINT, numeric: true })
    expect(declaredHint({ type: 'Vector', length: 3 })).toEqual({ ...NO_HINT, length: 3 })
  })

  test('make rows of such values', () => {
    const feature = port('raw', 'string', null)
    const [row] = madeRows([feature], [{ ...NO_HINT, known: ['red'], text: true }], 1)
    expect(row.raw).toBe('red red red red red red red red')
    expect(madeRows([feature], [{ ...NO_HINT, length: 2 }], 1)[0].raw).toHaveLength(2)
    expect(Number(madeRows([feature], [{ ...NO_HINT, numeric: true }], 1)[0].raw)).toBeGreaterThanOrEqual(0)
  })
})

describe('batches', () => {
  const features = [port('word', 'string', [null]), port('k', 'int32', [])]
  const rows = [
    { word: 'a', k: 3 },
    { word: 'b', k: 4 },
  ]

  test('are the rows again and again; what is one value for all is the first row’s', () => {
    expect(batchOf(rows, features, 5)).toEqual({ word: ['a', 'b', 'a', 'b', 'a'], k: 3 })
  })

  test('go on where the one before ended, until all rows were in one', () => {
    const [many, [word]] = [Array.from({ length: 5 }, (_, i) => ({ word: `w${i}` })), features]
    expect(batchesOf(many, [word], 2)).toEqual([{ word: ['w0', 'w1'] }, { word: ['w2', 'w3'] }, { word: ['w4', 'w0'] }])
    expect(batchesOf(many, [word], 8)).toHaveLength(1)
    expect(batchesOf(Array(1000).fill({ word: 'w' }), [word], 1)).toHaveLength(16)
  })

  test('are as large as the signature says, where it says it', () => {
    expect(fixedBatch(features)).toBeNull()
    expect(fixedBatch([port('x', 'float32', [16, 3])])).toBe(16)
    expect(fixedBatch([port('x', 'float32', null)])).toBeNull()
  })

  test('are of rows that have all features without a default', () => {
    expect(fits({ word: 'a', k: 1, other: true }, features)).toBe(true)
    expect(fits({ word: 'a' }, features)).toBe(false)
    expect(
      fits({ other: 1 }, [{ ...features[0], fallback: { dtype: 'bool', shape: [], data: Uint8Array.of(0) } }]),
    ).toBe(false)
  })
})
