import { describe, expect, test } from 'vitest'
import type { Json } from '../../../src/json/parse.ts'
import { recordingsIn } from '../../../src/match/recording.ts'

const answers = (json: Json) =>
  recordingsIn(json, 'here').answers.map(({ instance, prediction }) => [instance, prediction])

describe('a recording', () => {
  const rows = [
    [{ a: 1 }, [1, 2]],
    [{ a: 2 }, [3, 4]],
  ]
  const instances = rows.map(([instance]) => instance) as Json[]
  const predictions = rows.map(([, prediction]) => prediction) as Json[]

  test('is a line of a batch prediction', () => {
    expect(answers({ instance: { a: 1 }, prediction: [1, 2] })).toEqual([rows[0]])
  })

  test('is a request with its response, in one object or two', () => {
    expect(answers({ instances, predictions })).toEqual(rows)
    expect(answers({ request: { instances }, response: { predictions, deployedModelId: '1' } })).toEqual(rows)
  })

  test('is columns with columns', () => {
    expect(answers({ inputs: { a: [1, 2] }, outputs: predictions })).toEqual(rows)
    expect(answers({ inputs: { a: [1, 2] }, outputs: { y: predictions } })).toEqual([
      [{ a: 1 }, { y: [1, 2] }],
      [{ a: 2 }, { y: [3, 4] }],
    ])
  })

  test('is a golden, whose refusals are counted', () => {
    const tensor = (shape: number[], data: Json[]) => ({ dtype: 'float32', shape, data })
    const { answers, refusals } = recordingsIn(
      {
        cases: [
          { signature: 's', inputs: { a: tensor([2], [1, 2]) }, outputs: { y: tensor([2, 2], [1, 2, 3, 4]) } },
          { signature: 's', inputs: { a: tensor([1], [9]) }, error: 'InvalidArgumentError' },
        ],
      },
      'golden.json',
    )
    expect(refusals).toBe(1)
    expect(answers).toEqual([
      { at: 'golden.json case 0 instance 0', signature: 's', instance: { a: 1 }, prediction: { y: [1, 2] } },
      { at: 'golden.json case 0 instance 1', signature: 's', instance: { a: 2 }, prediction: { y: [3, 4] } },
    ])
  })

  test('is a scored pair, or a query with several candidates', () => {
    expect(recordingsIn({ query: { u: 1 }, candidate: { i: 2 }, score: 0.5 }, 'here').scores).toEqual([
      { at: 'here', query: { u: 1 }, candidate: { i: 2 }, score: 0.5 },
    ])
    const { scores } = recordingsIn(
      { query: { u: 1 }, candidates: [{ i: 2 }, { i: 3 }], scores: [0.5, [0.25]] },
      'here',
    )
    expect(scores.map(({ score }) => score)).toEqual([0.5, 0.25])
  })

  test('of an error is a refusal', () => {
    expect(recordingsIn({ error: 'quota' }, 'here')).toEqual({ answers: [], scores: [], refusals: 1 })
  })

  test.each<[string, Json, string]>([
    ['no object', 3, 'here: a recording is'],
    ['no prediction', { instance: {} }, 'here: a recording is'],
    ['fewer predictions than instances', { instances, predictions: [1] }, 'here: 2 instances and 1 predictions'],
    ['columns of several lengths', { inputs: { a: [1, 2], b: [1] }, outputs: [1, 2] }, 'the columns must be lists'],
    ['a score that is text', { query: {}, candidate: {}, score: 'x' }, 'its score a number'],
    ['fewer scores than candidates', { query: {}, candidates: [{}, {}], scores: [1] }, '2 candidates and 1 scores'],
    ['a case without inputs', { cases: [{}] }, 'here case 0: a case must have "inputs"'],
  ])('with %s is refused', (_, json, message) => {
    expect(() => recordingsIn(json, 'here')).toThrow(message)
  })
})
