import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { convert } from '../../src/convert.ts'
import { type Json, parseJson } from '../../src/json/parse.ts'
import { load } from '../../src/load.ts'
import { type Match, type MatchOptions, match } from '../../src/match/match.ts'
import { joined, type Recordings, recordingsIn } from '../../src/match/recording.ts'
import { type KnownVocabulary, readVocabulary } from '../../src/match/vocabulary.ts'
import type { Preprocess } from '../../src/preprocess/index.ts'
import type { Members } from '../../src/serve/values.ts'
import { openInstance } from '../../src/serve/vertex.ts'
import { readGolden } from './goldens.ts'

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url))
const read = (name: string): string => readFileSync(`${fixtures}match/${name}`, 'utf8')

/** What TensorFlow answered behind one preprocessing or another (test/fixtures/make/bare_towers.py). */
const recorded = (name: string): Recordings =>
  joined(
    read(name)
      .trimEnd()
      .split('\n')
      .map((line, i) => recordingsIn(parseJson(line), `${name}:${i + 1}`)),
  )
const vocabulary = (name: string, of?: string): KnownVocabulary => readVocabulary(read(name), name, of)
const pieces = vocabulary('pieces.txt')

async function found(model: string, recordings: Recordings, options: Partial<MatchOptions> = {}): Promise<Match> {
  const loaded = await load(`${fixtures}models/${model}`)
  return match(loaded, recordings, { tolerance: 1e-4, limit: 20_000, vocabularies: [], ...options })
}

/** The largest error of a bundle with `preprocess` on raw instances that were recorded. */
async function errorOf(
  model: string,
  signature: string,
  preprocess: Preprocess,
  { answers }: Recordings,
): Promise<number> {
  const bundle = await convert(`${fixtures}models/${model}`, { preprocess })
  const raw = await load({ manifest: bundle.manifest, weights: bundle.weights })
  let largest = 0
  for (const { instance, prediction } of answers) {
    const { features } = openInstance(instance as Members, [])
    const row = Object.fromEntries(Object.entries(features).map(([name, value]) => [name, [value]]))
    const outputs = raw.run(signature, row as Parameters<typeof raw.run>[1])
    const wanted = 'embedding' in Object(prediction) ? (prediction as { embedding: Json }).embedding : prediction
    const got = outputs.embedding.data as Float32Array
    expect(got).toHaveLength((wanted as number[]).length)
    got.forEach((value, i) => {
      // The mean of nothing is NaN, which goldens hold as text.
      const number = Number((wanted as Json[])[i])
      if (!Object.is(value, number)) largest = Math.max(largest, Math.abs(value - number))
    })
  }
  return largest
}

const way = (result: Match, what: string, input = ''): string | undefined =>
  result.decisions.find((decision) => decision.what === what && decision.inputs.join().includes(input))?.way

describe('match, from raw text to ids and their mask,', () => {
  const cases: readonly (readonly [string, KnownVocabulary[], Readonly<Record<string, string>>])[] = [
    [
      'query.wordpiece-framed-lower.jsonl',
      [pieces],
      {
        tokens: "pieces of words, BERT's",
        letters: 'lower-cased',
        'special tokens': '[CLS] … [SEP]',
        padded: 'at the end',
      },
    ],
    [
      'query.wordpiece-cased.jsonl',
      [pieces],
      { tokens: "pieces of words, BERT's", letters: 'as they are', 'special tokens': 'none' },
    ],
    [
      'query.words-lower-padded-at-start.jsonl',
      [vocabulary('plain.txt')],
      { tokens: 'words at white space', letters: 'lower-cased', padded: 'at the start', 'cut off': 'at the start' },
    ],
    [
      'query.words-unknown-dropped.jsonl',
      [vocabulary('plain.txt')],
      { letters: 'lower-cased', ids: 'plain.txt, ids from 1, others dropped', padded: 'at the end' },
    ],
    ['query.words-hashed.jsonl', [], { letters: 'as they are', ids: 'hashed into 64 buckets' }],
  ]
  for (const [name, vocabularies, ways] of cases) {
    test(`finds what ${name} was recorded behind`, async () => {
      const recordings = recorded(name)
      const result = await found('bare_towers', recordings, { signature: 'query', vocabularies })
      expect(result).toMatchObject({ reproduced: true, recordings: 16, differences: [] })
      for (const [what, words] of Object.entries(ways)) expect([what, way(result, what)]).toEqual([what, words])
      expect(await errorOf('bare_towers', 'query', result.preprocess, recordings)).toBeLessThan(1e-6)
    })
  }

  test('declares the ids and the mask by the same tokens', async () => {
    const { preprocess } = await found('bare_towers', recorded('query.wordpiece-framed-lower.jsonl'), {
      signature: 'query',
      vocabularies: [pieces],
    })
    const { tokens } = pieces
    const start = [
      { step: 'bert_tokens', vocabulary: tokens },
      { step: 'truncate', length: 10 },
      { step: 'add_tokens', start: ['[CLS]'], end: ['[SEP]'] },
    ]
    expect(preprocess).toEqual({
      version: 1,
      inputs: {
        input_word_ids: {
          from: 'bio',
          steps: [...start, { step: 'lookup', vocabulary: tokens, default_id: 1 }, { step: 'pad', length: 12 }],
        },
        input_mask: { from: 'bio', steps: [...start, { step: 'fill', value: 1 }, { step: 'pad', length: 12 }] },
      },
    })
  })

  test('says what two short texts leave open, and asks for a text that decides it', async () => {
    const short = recorded('query.undecided.jsonl')
    const result = await found('bare_towers', short, { signature: 'query', vocabularies: [pieces] })
    expect(result.reproduced).toBe(true)
    const open = Object.fromEntries(result.decisions.map(({ what, others }) => [what, others]))
    expect(open.tokens).toContain('words at white space')
    expect(open.letters).toEqual(['lower-cased'])
    expect(open['cut off']).toEqual(['at the start'])
    // What no text could tell is not called open: padding where the mask is 0.
    expect(open.padding).toEqual([])
    expect(Object.keys(result.deciding?.instance ?? {})).toEqual(['bio'])
    expect(result.deciding?.apart).toBeGreaterThan(2)
    const both = joined([short, recorded('query.wordpiece-framed-lower.jsonl')])
    const decided = await found('bare_towers', both, { signature: 'query', vocabularies: [pieces] })
    expect(decided.decisions.every(({ others }) => others.length === 0)).toBe(true)
    expect(decided.deciding).toBeNull()
  })

  test('gives the closest, and where it differs, where nothing reproduces the recording', async () => {
    const recordings = recorded('query.reversed.jsonl')
    const result = await found('bare_towers', recordings, { signature: 'query', vocabularies: [pieces], limit: 1000 })
    expect(result).toMatchObject({ reproduced: false, exhausted: true, deciding: null })
    expect(result.tries).toBeLessThanOrEqual(1000)
    // Texts of one token are the same in reverse.
    expect(result.differences.length).toBeGreaterThan(5)
    expect(result.differences.length).toBeLessThan(16)
    for (const { at, expected, got, index, output } of result.differences) {
      const { prediction } = recordings.answers[Number(at.split(':')[1]) - 1]
      expect(output).toBe('embedding')
      expect(expected).toBe((prediction as number[])[index ?? -1])
      expect(Math.abs(Number(got) - Number(expected))).toBeGreaterThan(1e-5)
    }
    const worst = await errorOf('bare_towers', 'query', result.preprocess, recordings)
    expect(result.largest).toBeCloseTo(worst, 6)
  })

  test('goes on from what is declared', async () => {
    const recordings = recorded('query.words-lower-padded-at-start.jsonl')
    const plain = vocabulary('plain.txt').tokens
    const wrong = (
      steps: Preprocess['inputs'][string] extends infer D ? (D extends { steps: infer S } ? S : never) : never,
    ) => ({
      from: 'bio',
      steps,
    })
    const start: Preprocess = {
      version: 1,
      inputs: {
        input_word_ids: wrong([
          { step: 'split' },
          { step: 'truncate', length: 12 },
          { step: 'lookup', vocabulary: plain, offset: 1 },
          { step: 'pad', length: 12, value: 1 },
        ]),
        input_mask: wrong([
          { step: 'split' },
          { step: 'truncate', length: 12 },
          { step: 'fill', value: 1 },
          { step: 'pad', length: 12 },
        ]),
        title_ids: wrong([{ step: 'split' }]),
      },
    }
    const result = await found('bare_towers', recordings, { signature: 'query', start })
    expect(result.reproduced).toBe(true)
    expect(await errorOf('bare_towers', 'query', result.preprocess, recordings)).toBeLessThan(1e-6)
    expect(result.preprocess.inputs.title_ids).toEqual(start.inputs.title_ids)
  })
})

describe('match, from several features at once,', () => {
  test("finds Keras's vectorization, a vocabulary, a logarithm, and fits a mean and a deviation, out of Vertex's pairs", async () => {
    const recordings = recorded('candidate.vectorization-standardized-log.vertex.jsonl')
    expect(recordings.answers).toHaveLength(14)
    const vocabularies = [vocabulary('vectorized.txt'), vocabulary('genres.txt')]
    const result = await found('bare_towers', recordings, { signature: 'candidate', vocabularies })
    expect(result.reproduced).toBe(true)
    expect(result.preprocess.inputs.year).toEqual({ steps: [{ step: 'standardize', mean: 1985.5, std: 17.25 }] })
    expect(result.preprocess.inputs.votes).toEqual({ steps: [{ step: 'log1p' }] })
    expect(result.preprocess.inputs.genre).toEqual({ steps: [{ step: 'lookup', vocabulary: vocabularies[1].tokens }] })
    expect(way(result, 'tokens')).toBe('punctuation removed, words at white space')
    expect(await errorOf('bare_towers', 'candidate', result.preprocess, recordings)).toBeLessThan(1e-6)
  })

  test("finds Keras's Tokenizer, a hash and scaled numbers, out of columns", async () => {
    const recordings = recorded('candidate.tokenizer-hashed-scaled.jsonl')
    const vocabularies = [vocabulary('word_index.json', 'title')]
    const result = await found('bare_towers', recordings, { signature: 'candidate', vocabularies })
    expect(result.reproduced).toBe(true)
    expect(result.preprocess.inputs.genre).toEqual({ steps: [{ step: 'hash', buckets: 7 }] })
    expect(result.preprocess.inputs.year).toEqual({ steps: [{ step: 'min_max', min: 0, max: 1000 }] })
    expect(way(result, 'padded')).toBe('at the start')
    expect(await errorOf('bare_towers', 'candidate', result.preprocess, recordings)).toBeLessThan(1e-6)
  })
})

describe('match, on goldens of padded ids,', () => {
  const golden = readGolden(`${fixtures}goldens/padded_ids.json`)
  /** The golden's rows as texts that `word` writes for ids, with TensorFlow's answers to the ids. */
  const texts = (word: (id: number) => string, separator: string): Recordings => ({
    scores: [],
    refusals: 0,
    answers: golden.cases.flatMap(({ inputs, outputs }, item) => {
      const { shape, data } = inputs.token_ids
      if (outputs === undefined) return []
      return Array.from({ length: shape[0] }, (_, row) => {
        const ids = data.slice(row * 16, row * 16 + 16) as number[]
        const title = ids
          .slice(0, ids.findLastIndex((id) => id !== 0) + 1)
          .map(word)
          .join(separator)
        const prediction = Object.fromEntries(
          Object.entries(outputs).map(([name, { shape, data }]) => [
            name,
            data.slice(row * (shape[1] ?? 1), (row + 1) * (shape[1] ?? 1)) as number[],
          ]),
        )
        return { at: `case ${item} row ${row}`, instance: { title }, prediction }
      })
    }),
  })
  const words = Array.from({ length: 50 }, (_, id) => `w${id}`)

  for (const [name, word, separator, tokens] of [
    ['plain words', (id: number) => `w${id}`, ' ', words],
    ['capitals that must be lowered', (id: number) => `W${id}`, ' ', words],
    ['parts at commas', (id: number) => `w${id}`, ',', words],
    ['a vocabulary without the padding', (id: number) => `w${id}`, ' ', words.slice(1)],
    ['accents that must go', (id: number) => `ẃ${id}`, ' ', words],
  ] as const) {
    test(`finds ${name}`, async () => {
      const recordings = texts(word, separator)
      const known = readVocabulary(tokens.join('\n'), 'words.txt')
      const result = await found('padded_ids', recordings, { vocabularies: [known] })
      expect(result.reproduced).toBe(true)
      const all = { ...recordings, answers: recordings.answers.slice(0, 9) }
      expect(await errorOf('padded_ids', 'serving_default', result.preprocess, all)).toBeLessThan(1e-6)
    })
  }
})

describe('match, of scored pairs,', () => {
  for (const [name, similarity] of [
    ['dot', { metric: 'dot', scale: 1, bias: 0, sigmoid: false, fitted: 0 }],
    ['sigmoid-of-dot', { metric: 'dot', scale: 1, bias: 0, sigmoid: true, fitted: 0 }],
    ['cosine', { metric: 'cosine', scale: 1, bias: 0, sigmoid: false, fitted: 0 }],
    ['scaled-cosine-logistic', { metric: 'cosine', scale: 6.5, bias: -0.75, sigmoid: true, fitted: 2 }],
    ['distance', { metric: 'euclidean', scale: 1, bias: 0, sigmoid: false, fitted: 0 }],
    ['negative-distance', { metric: 'euclidean', scale: -1, bias: 0, sigmoid: false, fitted: 0 }],
  ] as const) {
    test(`finds the similarity: ${name}`, async () => {
      const result = await found('tower_signatures', recorded(`pairs.${name}.jsonl`))
      expect(result).toMatchObject({ reproduced: true, similarities: [similarity], preprocess: { inputs: {} } })
    })
  }

  test('names the closest similarity of scores that none gives', async () => {
    const result = await found('tower_signatures', recorded('pairs.cubed-cosine.jsonl'))
    expect(result.reproduced).toBe(false)
    expect(result.similarities).toHaveLength(1)
    expect(result.differences.length).toBeGreaterThan(0)
    expect(result.differences.every(({ output }) => output === 'score')).toBe(true)
  })

  test('takes flat instances with one number each for pairs, where only two towers together give one', async () => {
    const [query, candidate] = ['query', 'candidate'].map((side) => ({
      model: `${fixtures}models/vertex_pair/${side}_model`,
      // Five rows, one of them with an age of a million.
      golden: readGolden(`${fixtures}goldens/vertex_pair.${side}_model.json`).cases[2],
    }))
    const rows = [query, candidate].map(
      ({ golden: { inputs, outputs } }) =>
        recordingsIn({ cases: [{ inputs, outputs }] as unknown as Json }, 'golden').answers,
    )
    const answers = [0, 1, 2, 4].map((row) => {
      const [q, c] = rows.map((side) => (side[row].prediction as { embedding: number[] }).embedding)
      const instance = Object.assign({}, ...rows.map((side) => side[row].instance))
      return { at: `row ${row}`, instance, prediction: [q.reduce((sum, value, i) => sum + value * c[i], 0)] }
    })
    const bundle = await convert({ query: query.model, candidate: candidate.model })
    const model = await load({ manifest: bundle.manifest, weights: bundle.weights })
    const result = match(
      model,
      { answers, scores: [], refusals: 0 },
      { tolerance: 1e-4, limit: 2000, vocabularies: [] },
    )
    expect(result).toMatchObject({ reproduced: true, similarities: [{ metric: 'dot', scale: 1, bias: 0 }] })
    expect(result.preprocess.inputs).toEqual({})
  })
})

describe('match refuses', () => {
  test('recordings of nothing, and of pairs and predictions together', async () => {
    const none: Recordings = { answers: [], scores: [], refusals: 3 }
    await expect(found('tower_signatures', none)).rejects.toThrow('there is no recorded answer to match')
    const mixed = joined([recorded('pairs.dot.jsonl'), recorded('query.undecided.jsonl')])
    await expect(found('tower_signatures', mixed)).rejects.toThrow('match them apart')
  })

  test('ids that no vocabulary is named for, and an input that no feature can make', async () => {
    const golden = { answers: [{ at: 'here', instance: { title: 'x' }, prediction: [1] }], scores: [], refusals: 0 }
    await expect(found('bare_towers', golden, { signature: 'query' })).resolves.toMatchObject({ reproduced: false })
    await expect(found('bare_towers', golden, { signature: 'candidate' })).rejects.toThrow(
      'the recordings have no raw feature for the input "votes": they have "title"',
    )
  })
})
