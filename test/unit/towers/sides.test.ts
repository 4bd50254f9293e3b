import { expect, test } from 'vitest'
import { embeddingOutput, sideOf } from '../../../src/towers/sides.ts'
import { float, input, op, signature } from '../graph/build.ts'

test.each([
  'user_id',
  'userId',
  'USER',
  'users',
  'userid',
  'customer',
  'member_number',
  'visitor',
  'query',
  'query_text',
  'queries',
  'user_movie_history',
  'userRatedMovie1',
  'serving_query',
  'question',
  'query_model',
  'left_input',
  'session_items',
])('%s is the query side', (name) => {
  expect(sideOf([name])).toBe('query')
})

test.each([
  'item_id',
  'movieId',
  'movie_title',
  'product',
  'products',
  'doc',
  'document_text',
  'passage',
  'candidate',
  'title',
  'candidate_tower',
  'itemembedding',
  'ad_id',
  'movie_user_rating_mean',
  'article',
  'answer',
  'job_id',
  'item0',
])('%s is the candidate side', (name) => {
  expect(sideOf([name])).toBe('candidate')
})

test.each([
  'placeholder',
  'Placeholder_1',
  'input_1',
  'dense_3',
  'output_0',
  'load',
  'head',
  'headline',
  'reading',
  'consumed',
  'remembered',
  'movielens',
  'adam',
  'age',
  'embedding',
  'serving_default',
  'timestamp',
  '',
])('%s says nothing', (name) => {
  expect(sideOf([name])).toBe(null)
})

test('names of both sides together say nothing', () => {
  expect(sideOf(['user_id', 'movie_id'])).toBe(null)
  expect(sideOf(['age', 'user_id'])).toBe('query')
  expect(sideOf([])).toBe(null)
})

test('scores of an index and probabilities are no embeddings, whatever their shape', () => {
  const x = input('user_id')
  const wide = [null, 10]
  const outputOf = (name: string) =>
    embeddingOutput(signature('s', [x], { output_1: [op(name, name === 'TopKV2' ? [x, float(1)] : [x]), wide] }))
  expect(outputOf('TopKV2')).toBe(-1)
  expect(outputOf('Softmax')).toBe(-1)
  expect(outputOf('Relu')).toBe(0)
})

test('of several matrices the one that is named for it is the embedding', () => {
  const x = input('x')
  const matrix = [op('Relu', [x]), [null, 8]] as const
  expect(embeddingOutput(signature('s', [x], { logits: matrix, user_embedding: matrix }))).toBe(1)
  expect(embeddingOutput(signature('s', [x], { logits: matrix, hidden: matrix }))).toBe(-1)
  expect(embeddingOutput(signature('s', [x], { score: [op('Relu', [x]), [null, 1]] }))).toBe(-1)
})
