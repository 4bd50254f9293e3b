import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { xxh32 } from '../../src/checksum/xxh32.ts'
import type { Manifest } from '../../src/weights/index.ts'
import { convertDemo, DEMO, demoRows, jsonl, model, run, scratch, twotower } from './command.ts'

interface Change {
  readonly what: string
  readonly a: string | null
  readonly b: string | null
}

interface Entries {
  readonly count: number
  readonly first: readonly string[]
}

interface Report {
  readonly same: boolean
  readonly signatures: readonly Change[]
  readonly towers: readonly Change[]
  readonly vocabularies: readonly {
    readonly a: number
    readonly b: number
    readonly added: Entries
    readonly removed: Entries
    readonly moved: Entries
  }[]
  readonly weights: readonly {
    readonly name: string
    readonly a: string
    readonly max: number
    readonly mean: number
    readonly cosine: number
  }[]
  readonly compared: { readonly weights: readonly [number, number] }
  readonly outputs: readonly {
    readonly output: string
    readonly values: number
    readonly different: number
    readonly max: number
    readonly rank: number | null
  }[]
  readonly problems: readonly string[]
  readonly refusals: number
}

const QUERY = join(DEMO, 'query_model')
const folder = scratch()
const bundle = join(folder, 'bundle')
const reversed = join(folder, 'reversed')
const pairs = join(folder, 'pairs.jsonl')
const viewers = join(folder, 'viewers.jsonl')

/** Puts `text` in the place of the matches with these numbers. */
function replacing(text: string, at: readonly number[]): (match: string) => string {
  let next = 0
  return (match) => (at.includes(next++) ? `"year":${text}` : match)
}

async function diff(...args: readonly string[]): Promise<Report & { readonly status: number | null }> {
  const { status, stdout } = await run(['diff', ...args, '--json'])
  return { ...(JSON.parse(stdout) as Report), status }
}

beforeAll(async () => {
  await convertDemo(bundle)
  const pair = ['--query', QUERY, '--candidate', join(DEMO, 'candidate_model')]
  await twotower(['convert', ...pair, '--similarity', 'cosine', '--scale', '-1', '-o', reversed])
  const films = demoRows('films.jsonl').slice(0, 20)
  const people = demoRows('viewers.jsonl').slice(0, 3)
  writeFileSync(pairs, jsonl(...people.map((query) => ({ query, candidates: films }))))
  writeFileSync(viewers, jsonl(...people, { inputs: {} }))
})

/** A copy of the bundle in which `change` was done to one array of floats. */
function changed(name: string, change: (values: Float32Array) => void): string {
  const copy = join(folder, 'changed')
  cpSync(bundle, copy, { recursive: true })
  const manifest = JSON.parse(readFileSync(join(copy, 'manifest.json'), 'utf8')) as Manifest
  const weights = new Uint8Array(readFileSync(join(copy, 'weights.bin')))
  const array = manifest.arrays.find((record) => record.name === name)
  if (array === undefined) throw new Error(`the bundle has no array ${name}`)
  change(new Float32Array(weights.buffer, weights.byteOffset + array.offset, array.byteLength / 4))
  const sum = xxh32().add(weights.subarray(array.offset, array.offset + array.byteLength)).value
  const arrays = manifest.arrays.map((record) => (record === array ? { ...record, xxh32: sum } : record))
  writeFileSync(join(copy, 'weights.bin'), weights)
  writeFileSync(join(copy, 'manifest.json'), JSON.stringify({ ...manifest, arrays }))
  return copy
}

describe('diff', () => {
  test('finds a model the same as itself, and as the bundle that it is converted to', async () => {
    const converted = join(folder, 'query')
    await twotower(['convert', QUERY, '-o', converted])
    for (const args of [
      [QUERY, QUERY],
      [QUERY, converted],
    ])
      expect(await diff(...args)).toMatchObject({
        status: 0,
        same: true,
        signatures: [],
        towers: [],
        vocabularies: [],
        weights: [],
      })
    for (const file of [pairs, viewers])
      expect(await twotower(['diff', bundle, bundle, '--input', file])).toMatch(/\nthe same\n$/)
    // One of the lines is no request: both refuse it alike.
    expect((await diff(bundle, bundle, '--input', viewers)).refusals).toBe(1)
  })

  test('are compared of a model that scores by itself, with the features of both sides in one tf.Example', async () => {
    const asked = join(folder, 'whole.jsonl')
    writeFileSync(asked, jsonl({ query: { user_id: 'anna' }, candidates: [{ year: 1948 }, { year: 1988 }] }))
    const scored = model('example_mlp')
    const { outputs, refusals } = await diff(scored, scored, '--input', asked)
    expect(outputs).toMatchObject([{ output: 'score', values: 2, different: 0 }])
    expect(refusals).toBe(0)
  })

  test('are not called the same where none was compared, and the reason stands there', async () => {
    const [bad, none] = [join(folder, 'bad.jsonl'), join(folder, 'none.jsonl')]
    writeFileSync(bad, '{"viewer": 1}\n{"viewer": 2}\n')
    writeFileSync(none, '\n')
    const { status, stdout } = await run(['diff', bundle, bundle, '--input', bad])
    expect(status).toBe(1)
    expect(stdout).toContain('no answer was compared: both refuse every line')
    expect(stdout).toMatch(/ {2}2 lines refused by both, the first at .*bad\.jsonl:1: .*\n/)
    expect(await diff(bundle, bundle, '--input', none)).toMatchObject({
      status: 1,
      same: false,
      problems: [`${none} has no line to compare answers to`],
    })
  })

  test('names the weight that changed, and how far it moved', async () => {
    let [before, after] = [new Float32Array(0), new Float32Array(0)]
    const other = changed('embedding/embeddings', (values) => {
      before = values.slice()
      values[7] += 0.5
      values[900] -= 0.25
      after = values.slice()
    })
    const { status, weights, outputs } = await diff(bundle, other, '--input', viewers)
    expect(status).toBe(1)
    expect(weights).toHaveLength(1)
    const off = Array.from(before, (value, i) => Math.abs(value - after[i]))
    expect(weights[0]).toMatchObject({
      name: 'embedding/embeddings',
      a: expect.stringMatching(/^float32\[\d+, \d+\]$/),
    })
    expect(weights[0].max).toBeCloseTo(Math.max(...off), 12)
    expect(weights[0].mean).toBeCloseTo(off.reduce((sum, value) => sum + value, 0) / off.length, 12)
    expect(weights[0].cosine).toBeLessThan(1)
    expect(outputs.map(({ output, values }) => ({ output, values }))).toEqual([
      { output: 'query embedding', values: 3 * 64 },
    ])
  })

  test('lists words that were added, removed and moved', async () => {
    const other = join(folder, 'words')
    cpSync(QUERY, other, { recursive: true })
    const file = join(other, 'assets/viewer_ids.txt')
    const [first, second, third, ...rest] = readFileSync(file, 'utf8').trimEnd().split('\n')
    writeFileSync(file, `${[second, first, 'somebody new', ...rest].join('\n')}\n`)
    const { status, vocabularies } = await diff(QUERY, other)
    expect(status).toBe(1)
    expect(vocabularies).toHaveLength(1)
    expect(vocabularies[0].a).toBe(vocabularies[0].b)
    expect(vocabularies[0].added).toEqual({ count: 1, first: ['"somebody new"'] })
    expect(vocabularies[0].removed).toEqual({ count: 1, first: [JSON.stringify(third)] })
    expect(vocabularies[0].moved.count).toBe(2)
  })

  test('tells another similarity, and that it ranks the other way round', async () => {
    const { status, towers, weights, outputs } = await diff(bundle, reversed, '--input', pairs)
    expect({ status, weights }).toEqual({ status: 1, weights: [] })
    expect(towers).toEqual([{ what: 'similarity', a: 'cosine', b: '-1 · cosine' }])
    expect(outputs).toHaveLength(1)
    expect(outputs[0]).toMatchObject({ output: 'score', values: 60, different: 60 })
    expect(outputs[0].rank).toBeCloseTo(-1, 12)
    expect((await diff(bundle, bundle, '--input', pairs)).outputs[0]).toMatchObject({ different: 0, max: 0 })
  })

  test('ranks scores that are NaN below all others', async () => {
    const [query] = demoRows('viewers.jsonl')
    const candidates = demoRows('films.jsonl').slice(0, 7)
    const file = join(folder, 'nan.jsonl')
    writeFileSync(file, JSON.stringify({ query, candidates }).replaceAll(/"year":\d+/g, replacing('NaN', [1, 3, 5])))
    const { outputs } = await diff(bundle, reversed, '--input', file)
    // Of seven three are NaN, tied, and the other four stand the other way round: by its definition Spearman's correlation.
    const [ours, theirs] = [
      [1, 1, 1, 3, 4, 5, 6],
      [1, 1, 1, 6, 5, 4, 3],
    ].map((ranks) => ranks.map((rank) => rank - 3))
    const product = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0)
    expect(outputs[0].different).toBe(4)
    expect(outputs[0].rank).toBeCloseTo(product(ours, theirs) / product(ours, ours), 12)
  })

  test('lists inputs that only one has, and the lines that a model refuses', async () => {
    const { signatures, problems } = await diff(QUERY, join(DEMO, 'candidate_model'), '--input', viewers)
    expect(signatures).toContainEqual({
      what: 'signature "serving_default", input "viewer_id"',
      a: 'string [-1]',
      b: null,
    })
    expect(problems.some((line) => line.startsWith(`${viewers}:1: B refuses it: `))).toBe(true)
  })

  test('ends with 2 where it is called wrongly, with 1 where a model is not there', async () => {
    expect(await run(['diff', QUERY])).toMatchObject({ status: 2, stdout: '' })
    expect(await run(['diff', QUERY, '/no/model'])).toEqual({
      status: 1,
      stdout: '',
      stderr: 'twotower: there is no folder at "/no/model"\n',
    })
  })
})
