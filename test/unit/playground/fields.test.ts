import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { define } from '../../../src/define.ts'
import { signaturePart, towerPart } from '../../../src/explain/explain.ts'
import type { ModelDefinition } from '../../../src/graph/index.ts'
import { nodeFolder } from '../../../src/platform/node.ts'
import type { Field } from '../../../src/playground/protocol.ts'
import { formOf } from '../../../src/playground/worker/fields.ts'
import { readSavedModel } from '../../../src/savedmodel/index.ts'
import type { Members } from '../../../src/serve/values.ts'

const path = (name: string): string => fileURLToPath(new URL(`../../../${name}`, import.meta.url))
const fixture = (name: string): string => path(`test/fixtures/models/${name}`)

const viewers = readFileSync(path('weights/demo/viewers.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Members)

const by = (fields: readonly Field[]): Record<string, Field['control']> =>
  Object.fromEntries(fields.map(({ name, control }) => [name, control]))

describe('the form of the demo', () => {
  let definition: ModelDefinition
  beforeAll(async () => {
    definition = await define({
      query: path('weights/demo/query_model'),
      candidate: path('weights/demo/candidate_model'),
    })
  })

  test('has type-ahead for vocabularies, sliders for numbers, text for what is cut into words', () => {
    const controls = by(formOf(towerPart(definition, 'query'), []).fields)
    expect(controls.favourite_genre).toEqual({ kind: 'choice', size: 12, numeric: false })
    expect(controls.viewer_id).toEqual({ kind: 'choice', size: 2000, numeric: false })
    expect(controls.recent_titles).toEqual({ kind: 'text', tokens: true })
    expect(controls.films_per_month).toMatchObject({ kind: 'number', whole: false })
    expect(controls.taste).toMatchObject({ kind: 'numbers' })
  })

  test('takes the range of a slider from the normalisation: the mean and three deviations on each side', async () => {
    const controls = by(formOf(towerPart(definition, 'query'), []).fields)
    const { checkpoint } = await readSavedModel(nodeFolder(path('weights/demo/query_model')))
    if (checkpoint === null) throw new Error('the demo has no checkpoint')
    const value = async (key: string) => {
      const found = await checkpoint.read(`${key}/.ATTRIBUTES/VARIABLE_VALUE`)
      return Number((found.data as Float32Array)[0])
    }
    const [mean, variance] = [await value('layer_with_weights-0/mean'), await value('layer_with_weights-0/variance')]
    const { birth_year: year } = controls
    if (year.kind !== 'number') throw new Error('birth_year is no number')
    expect(year.range.from).toBe('normalisation')
    expect(Math.abs(year.range.low - (mean - 3 * Math.sqrt(variance)))).toBeLessThan(1)
    expect(Math.abs(year.range.high - (mean + 3 * Math.sqrt(variance)))).toBeLessThan(1)
    // Taken from a logarithm: back by its inverse.
    const [log, spread] = [await value('layer_with_weights-1/mean'), await value('layer_with_weights-1/variance')]
    const { films_per_month: films } = controls
    if (films.kind !== 'number') throw new Error('films_per_month is no number')
    expect(films.range.high / Math.expm1(log + 3 * Math.sqrt(spread))).toBeCloseTo(1, 1)
  })

  test('begins with a row that is known, else with one that the model takes', () => {
    const known = formOf(towerPart(definition, 'query'), viewers).row
    expect(known).toEqual(Object.fromEntries(Object.keys(known).map((name) => [name, viewers[0][name]])))
    const { row, fields } = formOf(towerPart(definition, 'query'), [])
    expect(Object.keys(row).sort()).toEqual(fields.map(({ name }) => name).sort())
  })

  test('takes the range from rows where there are many of them', () => {
    const many = Array.from({ length: 60 }, (_, i): Members => ({ ...viewers[0], birth_year: 1900 + i }))
    const { birth_year: year } = by(formOf(towerPart(definition, 'query'), many).fields)
    expect(year).toMatchObject({ range: { low: 1900, high: 1959, from: 'rows' } })
  })
})

describe('other forms', () => {
  test('leave a feature to its default, and take one of a fixed size as a whole', async () => {
    const defaults = formOf(signaturePart(await define(fixture('defaults')), 'serving_default'), [])
    expect(defaults.fields.some(({ optional, name }) => optional && !Object.hasOwn(defaults.row, name))).toBe(true)
    const scalar = formOf(signaturePart(await define(fixture('scalar_inputs')), 'serving_default'), [])
    expect(by(scalar.fields)).toMatchObject({
      flag: { kind: 'flag' },
      n: { kind: 'number', whole: true },
      text: { kind: 'text' },
      x: { kind: 'number', whole: false },
    })
  })

  test('give ids as a list, and serialized examples as JSON', async () => {
    const ids = formOf(signaturePart(await define(fixture('padded_ids')), 'serving_default'), [])
    expect(by(ids.fields).token_ids).toMatchObject({ kind: 'numbers', whole: true })
    const examples = formOf(signaturePart(await define(fixture('examples')), 'serving_default'), [])
    expect(by(examples.fields).inputs).toEqual({ kind: 'json' })
  })
})
