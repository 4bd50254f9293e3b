import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { convert } from '../../../src/convert.ts'
import type { Features, InputValue, Model } from '../../../src/engine/model.ts'
import { inWords } from '../../../src/graph/index.ts'
import { type LoadOptions, load } from '../../../src/load.ts'
import { columnsOf } from '../../../src/serve/rows.ts'
import { type GoldenTensor, tensorOf } from '../ops/goldens.ts'

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url))
const open = (name: string, options: LoadOptions = {}): Promise<Model> => load(join(fixtures, 'models', name), options)

interface Case {
  readonly signature: string
  readonly inputs: Readonly<Record<string, GoldenTensor>>
  readonly outputs?: Readonly<Record<string, GoldenTensor>>
}

/** What TensorFlow answered for a fixture. */
const answered = (name: string, signature: string): Required<Case>[] => {
  const { cases } = JSON.parse(readFileSync(join(fixtures, 'goldens', `${name}.json`), 'utf8')) as { cases: Case[] }
  return cases.filter((one): one is Required<Case> => one.outputs !== undefined && one.signature === signature)
}

const pick = (inputs: Case['inputs'], names: readonly string[]): Features =>
  Object.fromEntries(names.map((name) => [name, tensorOf(inputs[name]) as unknown as InputValue]))

const names = (ports: readonly { readonly name: string }[] | undefined) => ports?.map((port) => port.name)

/** The towers of a model in short. */
const found = ({ structure: { query, candidate, similarity, joint } }: Model) => ({
  query: query && [query.signature, names(query.inputs)],
  candidate: candidate && [candidate.signature, names(candidate.inputs)],
  similarity: similarity && inWords(similarity),
  joint: joint && `${joint.signature}:${joint.output}`,
})

/** Every recorded score against the towers' embeddings, compared: |difference| ≤ 1e-6 + 1e-5 · |expected|. */
function expectScores(model: Model, cases: readonly Required<Case>[], output: string): void {
  let scores = 0
  for (const { inputs, outputs } of cases) {
    const [query, candidate] = [model.query, model.candidate]
    const a = query.embed(pick(inputs, names(query.inputs) as string[]))
    const b = candidate.embed(pick(inputs, names(candidate.inputs) as string[]))
    const got = model.score(a, b).data as Float32Array
    const expected = outputs[output].data as number[]
    expect(got.length).toBe(expected.length)
    expected.forEach((score, i) => {
      expect(Math.abs(got[i] - score), `${got[i]} is ${score}`).toBeLessThanOrEqual(1e-6 + 1e-5 * Math.abs(score))
    })
    scores += expected.length
  }
  expect(scores).toBeGreaterThan(5)
}

const FILM = { genres: ['drama', 'comedy'], movie_title: ['Key Largo'], year: [1948] }

const PAIR = { query: ['serving_default', ['user_id']], candidate: ['serving_default', ['movie_id']] }

describe('towers that one graph joins', () => {
  const fused: readonly (readonly [name: string, output: string, similarity: string])[] = [
    ['fused_dot', 'score', 'dot'],
    ['fused_cosine', 'cosine', 'cosine'],
    ['fused_scaled', 'score', '5 · dot − 0.3571429, logistic'],
    ['fused_euclidean', 'score', '-1 · euclidean'],
    ['fused_temperature', 'score', '13.59141 · cosine'],
    ['fused_quotient', 'score', 'cosine'],
    ['fused_tensordot', 'score', 'dot'],
    ['fused_sequence', 'flatten', 'cosine'],
    ['keras3_fused', 'output_0', 'cosine'],
  ]
  for (const [name, output, similarity] of fused) {
    test(`${name} scores ${similarity}, each side embedded alone, as TensorFlow does`, async () => {
      const model = await open(name)
      expect(found(model)).toEqual({ ...PAIR, similarity, joint: null })
      const path = `similarity ${similarity} read from output "${output}" of "serving_default"`
      expect(model.structure.notes.join('\n')).toContain(path)
      expect(model.structure.notes[0]).toBe('"serving_default" joins user_id (query) with movie_id (candidate)')
      expectScores(model, answered(name, 'serving_default'), output)
    })
  }

  test('towers that no output of the export shows go through the flat format', async () => {
    for (const name of ['fused_sequence', 'fused_biases', 'tfrs_bruteforce']) {
      const bundle = await convert(join(fixtures, 'models', name))
      const [model, flat] = [await open(name), await load({ manifest: bundle.manifest, weights: bundle.weights })]
      expect(found(flat)).toEqual(found(model))
      const features = { [model.query.inputs[0].name]: name === 'fused_sequence' ? [['1'], ['7']] : ['1', '7'] }
      expect(flat.query.embed(features)).toEqual(model.query.embed(features))
    }
  })

  test('the numbers of fused_scaled are its variables over its temperature', async () => {
    const similarity = (await open('fused_scaled')).structure.similarity
    expect(similarity?.scale).toBeCloseTo(3.5 / 0.7, 6)
    expect(similarity?.bias).toBeCloseTo(-0.25 / 0.7, 6)
    expect(similarity?.sigmoid).toBe(true)
  })

  for (const name of ['fused_squared', 'fused_biases', 'fused_inverse']) {
    test(`${name} separates its towers but scores by itself: no metric says what it makes of them`, async () => {
      const model = await open(name)
      expect(found(model)).toEqual({ ...PAIR, similarity: null, joint: 'serving_default:score' })
      expect(model.similarity).toBe(null)
      expect(model.structure.notes.join('\n')).toContain('makes more of the embeddings than scale · similarity + bias')
      for (const { inputs, outputs } of answered(name, 'serving_default')) {
        const expected = outputs.score.data as number[]
        const got = model.score(pick(inputs, ['user_id']), pick(inputs, ['movie_id'])).data as Float32Array
        expect(got.length).toBe(expected.length)
        expected.forEach((score, i) => {
          expect(Math.abs(got[i] - score)).toBeLessThanOrEqual(1e-6 + 1e-5 * Math.abs(score))
        })
      }
      const [a, b] = [model.query.embed({ user_id: ['1'] }), model.candidate.embed({ movie_id: ['tt00001'] })]
      expect(() => model.score(a, b)).toThrow(/choose a similarity: dot, cosine or euclidean/)
    })
  }

  const SIDES = {
    query: { user_id: 'string', age: 'float32' },
    candidate: { genres: 'string', movie_title: 'string', year: 'float32' },
  }
  test('example_towers: of one tf.Example each tower reads its own features, and needs no others', async () => {
    const model = await open('example_towers')
    const examples = ['serving_default', ['examples']]
    expect(found(model)).toEqual({ query: examples, candidate: examples, similarity: 'dot', joint: null })
    expect(model.structure.notes[0]).toBe(
      '"serving_default" joins user_id, age (query) with genres, movie_title, year (candidate)',
    )
    for (const side of ['query', 'candidate'] as const) expect(model[side].features[0].features).toEqual(SIDES[side])
    expectScores(model, answered('example_towers', 'serving_default'), 'score')
    const bundle = await convert(join(fixtures, 'models', 'example_towers'))
    const flat = await load({ manifest: bundle.manifest, weights: bundle.weights })
    for (const one of [model, flat]) {
      const [query, candidate] = [{ user_id: ['anna'], age: 31n }, FILM].map((row) => [row])
      const a = one.query.embed(columnsOf(query, one.query.features))
      const b = one.candidate.embed(columnsOf(candidate, one.candidate.features))
      const [{ outputs }] = answered('example_towers', 'serving_default')
      expect(Math.abs((one.score(a, b).data as Float32Array)[0] - Number(outputs.score.data[0]))).toBeLessThan(1e-4)
      expect(() => columnsOf([{ title: 'x' }], one.candidate.features)).toThrow(
        'none of the features genres, movie_title, year',
      )
    }
  })

  for (const [name, parts] of [
    ['example_mlp', 'the features of its tf.Example'],
    ['id_pairs', 'the columns of "ids"'],
  ]) {
    test(`${name} scores by itself, and says that ${parts} are not separated`, async () => {
      const model = await open(name)
      expect(found(model)).toEqual({ query: null, candidate: null, similarity: null, joint: 'serving_default:score' })
      expect(model.structure.notes).toEqual([
        `output "score" of "serving_default" scores by itself: no similarity separates ${parts} into towers`,
      ])
      const [port] = model.signatures[0].inputs
      const one = (length: number) => ({
        [port.name]: port.dtype === 'string' ? [new Uint8Array(length)] : [[1n, 2n + BigInt(length)]],
      })
      expect(() => model.score(one(0), one(2))).toThrow(`query and candidate give "${port.name}" differently`)
      const [{ inputs, outputs }] = answered(name, 'serving_default')
      const given = () => pick(inputs, Object.keys(inputs))
      const score = model.score(given(), given())
      expect(score.data[0]).toBeCloseTo((outputs.score.data as number[])[0], 6)
    })
  }

  test('concat_mlp has no separable similarity and says so', async () => {
    const model = await open('concat_mlp')
    expect(found(model)).toEqual({
      query: null,
      candidate: null,
      similarity: null,
      joint: 'serving_default:probability',
    })
    expect(model.structure.notes).toEqual([
      'output "probability" of "serving_default" scores by itself: no similarity separates its inputs into towers',
    ])
    expect(() => model.query).toThrow(/has no query tower .*no similarity separates/)
    const [{ inputs, outputs }] = answered('concat_mlp', 'serving_default')
    const score = model.score(pick(inputs, ['user_id']), pick(inputs, ['movie_id']))
    expect(score.data[0]).toBeCloseTo((outputs.probability.data as number[])[0], 6)
  })
})

describe('towers that the export names', () => {
  test('a signature a tower, and one that scores', async () => {
    const model = await open('tower_signatures')
    expect(found(model)).toEqual({
      query: ['query', ['user_id']],
      candidate: ['candidate', ['movie_id']],
      similarity: 'dot',
      joint: null,
    })
    expect(model.structure.notes).toEqual([
      'signature "candidate" is the candidate tower by its name',
      'signature "query" is the query tower by its name',
      'similarity dot read from output "score" of "score" (the sum of products)',
    ])
    expectScores(model, answered('tower_signatures', 'score'), 'score')
  })

  test('two outputs of one signature, whose similarity the user must choose', async () => {
    const model = await open('shared_signature')
    expect(found(model)).toEqual({ ...PAIR, similarity: null, joint: null })
    expect(model.structure.query?.output.name).toBe('query_embedding')
    expect(model.structure.candidate?.output.name).toBe('candidate_embedding')
    expect(model.structure.notes).toContain('the export does not say how the embeddings are compared')
    const sides = [{ user_id: ['1'] }, { movie_id: ['tt00001'] }] as const
    expect(() => model.score(...sides)).toThrow(RangeError)
    expect(() => model.score(...sides)).toThrow(/does not say how its towers are compared/)

    const similarity = { metric: 'dot', scale: 2, bias: 1, sigmoid: false } as const
    const chosen = await open('shared_signature', { similarity })
    expect(chosen.similarity).toBe('dot')
    expect(chosen.structure.notes.at(-1)).toBe('similarity dot chosen by the user')
    const [a, b] = [chosen.query.embed(sides[0]), chosen.candidate.embed(sides[1])]
    const dot = (a.data as Float32Array).reduce((sum, x, i) => sum + x * Number(b.data[i]), 0)
    expect(chosen.score(...sides).data[0]).toBeCloseTo(2 * dot + 1, 4)
    expect((await open('shared_signature', { similarity: 'dot' })).score(...sides).data[0]).toBeCloseTo(dot, 4)
  })

  test('a similarity that there is not is refused', async () => {
    for (const [similarity, said] of [
      ['manhattan', /a similarity is dot, cosine or euclidean, got "manhattan"/],
      [{ scale: 2 }, /a similarity is dot, cosine or euclidean, got undefined/],
      [{ metric: 'dot', scale: '2' }, /the scale of a similarity is a finite number, got 2/],
      [{ metric: 'dot', bias: Number.NaN }, /the bias of a similarity is a finite number, got NaN/],
    ] as const)
      await expect(open('shared_signature', { similarity } as unknown as LoadOptions)).rejects.toThrow(said)
  })

  test('a backend that there is not is refused, not passed over for the kernels', async () => {
    await expect(open('shared_signature', { backend: 'wasm' } as unknown as LoadOptions)).rejects.toThrow(
      new RangeError('a backend is kernels or tfjs, got "wasm"'),
    )
  })

  for (const [name, side, inputs] of [
    ['vertex_pair/query_model', 'query', ['age', 'bio', 'occupation', 'profile', 'user_id']],
    ['vertex_pair/candidate_model', 'candidate', ['genre', 'movie_id', 'poster', 'title', 'year']],
    ['vertex_instance/query_model', 'query', ['age', 'bio', 'occupation', 'profile', 'user_id']],
    ['vertex_instance/candidate_model', 'candidate', ['genre', 'movie_id', 'poster', 'title', 'year']],
    ['tfrs_pair/user_model', 'query', ['string_lookup_input']],
    ['tfrs_pair/item_model', 'candidate', ['movie_title']],
    ['keras3_towers/query_model', 'query', ['age', 'history', 'user_id']],
    ['keras3_towers/candidate_model', 'candidate', ['title']],
  ] as const) {
    test(`${name} alone is the ${side} tower of ${inputs.join(', ')}`, async () => {
      const model = await open(name)
      const towers = { query: null, candidate: null, similarity: null, joint: null }
      expect(found(model)).toEqual({ ...towers, [side]: ['serving_default', inputs] })
      expect(model.structure.notes).toEqual([
        `signature "serving_default" is the ${side} tower by the names of the export and its inputs`,
      ])
    })
  }

  test('an index that holds its candidates has a query tower, and compares by dot', async () => {
    const model = await open('tfrs_bruteforce')
    expect(found(model)).toEqual({
      query: ['serving_default', ['input_1']],
      candidate: null,
      similarity: 'dot',
      joint: null,
    })
    expect(model.structure.query?.output.shape).toEqual([null, 32])
    expect(model.query.embed({ input_1: ['1', '2'] }).shape).toEqual([2, 32])
    expect(model.structure.notes[0]).toContain('ranks 30 candidates that it holds')
    expect(() => model.candidate).toThrow(/candidate tower is not in the export/)
  })

  for (const [name, similarity, width, note] of [
    ['tfrs_scann', 'dot', 32, /ranks 30 candidates .*ScaNN compares some of them, and here the same/],
    ['scann_searches', 'euclidean', null, /"by_distance" ranks 1200 candidates .*only hashes .*as ScaNN does/],
  ] as const) {
    test(`${name} has a query tower, and it is said how its index is searched`, async () => {
      const model = await open(name)
      expect(found(model)).toMatchObject({ candidate: null, similarity })
      expect(model.structure.query?.output.shape).toEqual([null, width])
      expect(model.structure.notes[0]).toMatch(note)
    })
  }
})

describe('exports that have no towers', () => {
  for (const name of [
    'hashing',
    'multi_output',
    'padded_ids',
    'bn_ln_tower',
    'control_flow_v1',
    'if_while',
    'all_dtypes',
  ])
    test(`${name} is not taken for two towers, nor for a score`, async () => {
      expect(found(await open(name))).toEqual({ query: null, candidate: null, similarity: null, joint: null })
    })
})
