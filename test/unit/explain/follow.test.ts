import { beforeAll, describe, expect, test } from 'vitest'
import { demo, explaining, fixture, input, ofKind, rowsOf, words } from './open.ts'

const numbers = (values: readonly unknown[]) => values.map(Number)

describe('a text', () => {
  test('is told token by token with the ids that TensorFlow gave them, and what no vocabulary held', async () => {
    const explain = await explaining(fixture('text_vectorization'))
    const rows = rowsOf('text_vectorization', ['text']).filter(({ features }) =>
      /^[\w ]+$/.test(String(features.text[0])),
    )
    expect(rows.length).toBeGreaterThan(2)
    for (const { features, output } of rows) {
      const [text] = features.text as string[]
      const tokens = text
        .toLowerCase()
        .split(' ')
        .filter((token) => token !== '')
      // Ids of this layer: 0 pads, 1 is out of vocabulary.
      const ids = numbers(output('int_free')).slice(0, tokens.length)
      const told = input(explain({ signature: 'serving_default', features }), 'text')
      const wanted = tokens.map((key, i) => ({ key, id: BigInt(ids[i]), found: ids[i] !== 1 }))
      expect(ofKind(told, 'lookup').map(({ entries }) => entries)).toContainEqual(wanted)
      const values = ofKind(told, 'values').map((stage) => numbers(stage.values))
      expect(values).toContainEqual(numbers(output('int')))
      const lists = ofKind(told, 'values').map((stage) => stage.values)
      // One token is the text itself.
      if (tokens.length > 1) expect(lists).toContainEqual(tokens)
      if (text !== text.toLowerCase())
        expect(told.stages).toContainEqual({
          kind: 'values',
          words: 'lower-cased',
          values: [text.toLowerCase()],
          after: [],
        })
    }
  })

  test('is told in word pieces up to the padded ids and their rows', async () => {
    const explain = await explaining(fixture('bert_tower'))
    for (const { features, output } of rowsOf('bert_tower', ['text'])) {
      const ids = numbers(output('ids'))
      const told = input(explain({ signature: 'serving_default', features }), 'text')
      const last = ofKind(told, 'values').at(-1)
      expect(numbers(last?.values ?? [])).toEqual(ids)
      expect(
        ofKind(told, 'rows')
          .at(-1)
          ?.rows.map(({ id }) => id),
      ).toEqual(ids)
      // What leads to row splits and masks is no stage.
      expect(told.stages.filter(({ kind, after }) => kind === 'values' && after.length > 1)).toEqual([])
    }
  })
})

describe('hashes, buckets and numbers', () => {
  const names = ['word', 'number', 'value', 'classes', 'row']

  test("name TensorFlow's bucket and how many there are", async () => {
    const explain = await explaining(fixture('hashing'))
    for (const { features, output } of rowsOf('hashing', names)) {
      const told = explain({ signature: 'serving_default', features })
      const hashed = (name: string) =>
        ofKind(input(told, name), 'hash').map(({ buckets, entries }) => [buckets, entries[0]?.bucket])
      const [word, number] = [hashed('word'), hashed('number')]
      expect(word).toContainEqual([17, Number(output('hash')[0])])
      expect(word).toContainEqual([1000, Number(output('salted')[0])])
      expect(word).toContainEqual([1e9, Number(output('salt_pair')[0])])
      expect(number).toContainEqual([17, Number(output('hash_int')[0])])
      expect(number).toContainEqual([1000, Number(output('hash_int_salted')[0])])
    }
  })

  test('give the boundaries around a value', async () => {
    const explain = await explaining(fixture('hashing'))
    // Discretization([-1.5, 0.0, 0.1, 100.0]), as the fixture was made.
    const bounds = [null, -1.5, 0, Math.fround(0.1), 100, null]
    for (const { features, output } of rowsOf('hashing', names)) {
      const told = input(explain({ signature: 'serving_default', features }), 'value')
      const bucket = Number(output('buckets')[0])
      const found = ofKind(told, 'buckets').map(({ entries }) => entries[0])
      const fitting = found
        .filter((one) => one.bucket === bucket)
        .map(({ from, to }) => [from, to].map((x) => x && Math.fround(x)))
      expect(fitting).toContainEqual([bounds[bucket], bounds[bucket + 1]])
    }
  })

  test('tell a normalisation by its constants up to what TensorFlow computed', async () => {
    const explain = await explaining(fixture('hashing'))
    for (const { features, output } of rowsOf('hashing', names)) {
      const told = input(explain({ signature: 'serving_default', features }), 'row')
      const [minus, divided] = ofKind(told, 'values')
      expect(minus.words).toMatch(/^minus 4 2 0\.166667$/)
      for (const [i, value] of divided.values.entries())
        expect(Number(value) / Number(output('per_column')[i])).toBeCloseTo(1, 5)
    }
  })

  test('tell of a key that is hashed only because no vocabulary holds it both the miss and the id', async () => {
    const explain = await explaining(fixture('hashing'))
    // Of this layer 0 is the mask, 1 to 4 are the hashed ids, and the vocabulary follows.
    const rows = rowsOf('hashing', names).filter(({ output }) => [1, 2, 3, 4].includes(Number(output('string_oov')[0])))
    expect(rows.length).toBeGreaterThan(0)
    for (const { features, output } of rows) {
      const told = input(explain({ signature: 'serving_default', features }), 'word')
      const ways = ofKind(told, 'values').filter(
        ({ words, values }) => words.startsWith('replaced') && Number(values[0]) === Number(output('string_oov')[0]),
      )
      const kinds = ways.map(({ after }) => {
        const before = new Set(after)
        for (const i of before) for (const j of told.stages[i].after) before.add(j)
        return [...before].map((i) => told.stages[i].kind)
      })
      expect(kinds).toContainEqual(expect.arrayContaining(['lookup', 'hash']))
    }
  })
})

describe('a feature of the demo', () => {
  let explain: Awaited<ReturnType<typeof explaining>>
  beforeAll(async () => {
    explain = await explaining({ query: `${demo}/query_model`, candidate: `${demo}/candidate_model` })
  })
  const viewer = {
    viewer_id: ['nobody'],
    favourite_genre: ['Horror'],
    household: ['shared'],
    birth_year: [1986],
    films_per_month: [9],
    taste: [[0, 0, 0, 3, 4, 0, 0, 0]],
    recent_titles: ['The Ruins!'],
  }

  test('has the id of its line in the vocabulary that the export carries, or is out of vocabulary', () => {
    const known = words('query_model/assets/viewer_ids.txt')
    for (const [key, id, found] of [
      ['nobody', 0n, false],
      [known[0], 1n, true],
      [known[41], 42n, true],
    ] as const) {
      const told = input(explain({ query: { ...viewer, viewer_id: [key] } }), 'viewer_id')
      expect(ofKind(told, 'lookup')).toMatchObject([{ size: known.length, entries: [{ key, id, found }] }])
      expect(ofKind(told, 'rows')[0].rows.map((row) => row.id)).toEqual([Number(id)])
    }
  })

  test('is told to the vector that its words are made into', () => {
    const known = words('query_model/assets/title_words.txt')
    const told = input(explain({ query: viewer }), 'recent_titles')
    const ids = ['the', 'ruins'].map((word) => {
      const line = known.indexOf(word)
      return line < 0 ? 1 : line + 2
    })
    expect(ofKind(told, 'rows')[0].rows.map(({ id }) => id)).toEqual(ids)
    expect(ofKind(told, 'values').at(-1)?.values.map(Number)).toEqual([...ids, ...new Array(30).fill(0)])
    const vectors = ofKind(told, 'vector')
    expect(vectors.map((stage) => stage.words)).toEqual(['summed', 'divided by 2'])
    expect(vectors[1].norm * 2).toBeCloseTo(vectors[0].norm, 5)
  })

  test('is told in numbers: to unit length, and a missing one replaced', () => {
    const told = explain({ query: { ...viewer, birth_year: [-1] } })
    expect(ofKind(input(told, 'taste'), 'values').map(({ words, values }) => [words, values.slice(3, 5)])).toEqual([
      ['to unit length', [0.6, 0.8].map((value) => expect.closeTo(value, 6))],
    ])
    expect(ofKind(input(told, 'birth_year'), 'values')[0].words).toMatch(/^replaced \(missing/)
  })
})

test('declared steps stand before those of the graph, and name what their vocabulary lacks', async () => {
  const steps = [
    { step: 'lower_case' },
    { step: 'split' },
    { step: 'lookup', vocabulary: ['night', 'stars'] },
    { step: 'pad', length: 16 },
  ]
  const preprocess = { version: 1, inputs: { token_ids: { from: 'title', steps } } }
  const explain = await explaining(fixture('padded_ids'), { preprocess })
  const told = input(explain({ signature: 'serving_default', features: { title: ['Night of STARS'] } }), 'token_ids')
  const padded = [1, 0, 2, ...new Array(13).fill(0)]
  expect(told.raw).toEqual(['Night of STARS'])
  expect(told.from).toBe('title')
  // One id is for what is out of vocabulary; it comes first.
  expect(told.stages.slice(0, 4)).toEqual([
    { kind: 'values', words: 'lower case', values: ['night of stars'], after: [] },
    { kind: 'values', words: 'split', values: ['night', 'of', 'stars'], after: [0] },
    {
      kind: 'lookup',
      table: 'preprocess.json',
      size: 2,
      entries: [
        { key: 'night', id: 1, found: true },
        { key: 'of', id: 0, found: false },
        { key: 'stars', id: 2, found: true },
      ],
      after: [1],
    },
    { kind: 'values', words: 'pad (length 16)', values: padded, after: [2] },
  ])
  expect(told.stages[4]).toMatchObject({ kind: 'rows', after: [3], rows: padded.map((id) => ({ id })) })
})
