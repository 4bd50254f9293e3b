import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Features, Nested } from '../../../src/engine/inputs.ts'
import { explainSimilarity, influences } from '../../../src/explain/score.ts'
import { demo, explaining } from './open.ts'

const plain = { scale: 1, bias: 0, sigmoid: false }
const read = (file: string) => readFileSync(`${demo}/${file}`, 'utf8')
const lines = (file: string) =>
  read(file)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, Nested>)

describe('a similarity', () => {
  const [query, candidate] = [Float32Array.of(3, 0, -4), Float32Array.of(1, 7, 2)]
  const contributions = (told: ReturnType<typeof explainSimilarity>) =>
    told.dimensions.map(({ dimension, contribution }) => [dimension, contribution])

  test('names the dimensions that make most of a dot product, before scale, bias and logistic', () => {
    const told = explainSimilarity(query, candidate, { metric: 'dot', scale: 0.5, bias: 1, sigmoid: true })
    expect(contributions(told)).toEqual([
      [2, -8],
      [0, 3],
      [1, 0],
    ])
    expect(told.value).toBeCloseTo(1 / (1 + Math.exp(1.5)), 6)
    expect(told.how).toBe('0.5 · dot + 1, logistic')
  })

  test('names them of a cosine by the lengths of both, and of a distance squared', () => {
    const cosine = explainSimilarity(query, candidate, { metric: 'cosine', ...plain })
    expect(cosine.dimensions[0].contribution).toBeCloseTo(-8 / (5 * Math.sqrt(54)), 6)
    expect(cosine.value).toBeCloseTo(-5 / (5 * Math.sqrt(54)), 6)
    // As the cosine itself has it, a vector that is nearly 0 is like nothing.
    const tiny = explainSimilarity(Float32Array.of(1e-9, 0, 0), candidate, { metric: 'cosine', ...plain })
    expect(tiny.dimensions[0].contribution).toBe(tiny.value)
    const distance = explainSimilarity(query, candidate, { metric: 'euclidean', ...plain })
    expect(contributions(distance)).toEqual([
      [1, 49],
      [2, 36],
      [0, 4],
    ])
    expect(distance.value).toBeCloseTo(Math.sqrt(89), 5)
  })

  test('refuses embeddings of different widths', () => {
    expect(() => explainSimilarity(query, Float32Array.of(1), { metric: 'dot', ...plain })).toThrow(/3 dimensions.* 1/)
  })
})

test('a feature adds what the score loses when it is left empty; one that may not be empty is passed over', () => {
  const features = { text: ['ab'], number: [[2, 3]], optional: ['x'], needed: [1] }
  const score = ({ text, number, optional, needed }: Features) => {
    if ((needed as number[])[0] === 0) throw new RangeError('needed')
    const [[a, b], [length]] = [(number as number[][])[0], (text as string[]).map((item) => item.length)]
    return length + 10 * (a + b) + (optional === undefined ? 100 : 0)
  }
  const side = { part: 'query tower', features, optional: new Set(['optional']), score }
  expect(influences(52, [side])).toEqual([
    { part: 'query tower', feature: 'optional', without: 152, change: -100 },
    { part: 'query tower', feature: 'number', without: 2, change: 50 },
    { part: 'query tower', feature: 'text', without: 50, change: 2 },
  ])
})

test("the demo's pairs have TensorFlow's embeddings and scores", async () => {
  const explain = await explaining({ query: `${demo}/query_model`, candidate: `${demo}/candidate_model` })
  const { viewers } = JSON.parse(read('goldens/ranking.json')) as {
    viewers: { viewer: string; embedding: number[]; top: { id: string; score: number }[] }[]
  }
  const [rows, films] = [lines('viewers.jsonl'), lines('films.jsonl')]
  const one = ({ id, description, ...row }: Record<string, Nested>): Features =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, [value]]))
  for (const { viewer, embedding, top } of viewers) {
    const query = rows.find(({ id }) => id === viewer) ?? {}
    const candidate = films.find(({ id }) => id === top[0].id) ?? {}
    const { parts, score } = explain({ query: one(query), candidate: one(candidate) })
    expect(parts.map(({ kind, name }) => [kind, name])).toEqual([
      ['tower', 'query'],
      ['tower', 'candidate'],
    ])
    const vector = parts[0].outputs[0].vector
    expect(vector?.size).toBe(embedding.length)
    expect(vector?.norm).toBeCloseTo(1, 5)
    for (const [i, value] of vector?.first.entries() ?? []) expect(value).toBeCloseTo(embedding[i], 5)
    expect(score?.value).toBeCloseTo(top[0].score, 5)
    for (const { query, dimension } of score?.dimensions ?? []) expect(query).toBeCloseTo(embedding[dimension], 5)
    // Every feature of both towers can be empty.
    expect(score?.features.length).toBe(Object.keys(one(query)).length + Object.keys(one(candidate)).length)
  }
})
