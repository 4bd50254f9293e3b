import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  convertDemo,
  demoRanking,
  demoRows,
  difference,
  goldenFile,
  instances,
  jsonl,
  lines,
  model,
  recorded,
  rows,
  run,
  scratch,
} from './command.ts'

const bundle = join(scratch(), 'demo')
beforeAll(() => convertDemo(bundle))

const PAIR = ['query', 'candidate'] as const

describe.concurrent('score', () => {
  const viewers = demoRows('viewers.jsonl')
  const films = new Map(demoRows('films.jsonl').map((film) => [film.id, film]))
  const ranking = demoRanking()

  test('gives the scores that TensorFlow ranked by, of one candidate or of a list', async () => {
    const requests = ranking.flatMap(({ top }, i) => [
      { id: viewers[i].id, query: viewers[i], candidates: top.map(({ id }) => films.get(id)) },
      { key: i, query: viewers[i], candidate: films.get(top[0].id) },
    ])
    const finished = await run(['score', bundle], jsonl(...requests))
    expect(finished).toMatchObject({ status: 0, stderr: '' })
    const answers = lines(finished).map((line) => JSON.parse(line))
    ranking.forEach(({ viewer, top }, i) => {
      const { id, scores } = answers[2 * i]
      expect(id).toBe(viewer)
      expect(
        difference(
          scores,
          top.map(({ score }) => score),
        ),
      ).toBeLessThan(1e-6)
      expect(answers[2 * i + 1].key).toBe(i)
      expect(Math.abs(answers[2 * i + 1].score - top[0].score)).toBeLessThan(1e-6)
    })
  })

  test('gives back an id past 2^53 in full', async () => {
    const { stdout } = await run(['score', bundle], '{"key": 9007199254740993, "query": [1, 0], "candidate": [1, 0]}')
    expect(stdout).toBe('{"key": 9007199254740993, "score": 1}\n')
  })

  test('takes embeddings in the place of features, on one side or both', async () => {
    const [{ embedding, top }] = ranking
    const [film] = lines(await run(['embed', bundle, '--tower', 'candidate'], jsonl(films.get(top[0].id)))).map(
      (line) => JSON.parse(line).embedding,
    )
    const finished = await run(
      ['score', bundle],
      jsonl(
        { query: embedding, candidate: films.get(top[0].id) },
        { query: embedding, candidates: [film, film] },
        { query: viewers[0], candidate: film },
      ),
    )
    const answers = lines(finished).map((line) => JSON.parse(line))
    for (const score of [answers[0].score, ...answers[1].scores, answers[2].score])
      expect(Math.abs(score - top[0].score)).toBeLessThan(1e-6)
  })

  test('scores with the similarity that a fused export holds, its scale included', async () => {
    for (const name of ['fused_temperature', 'fused_biases', 'fused_dot']) {
      const cases = recorded(goldenFile(name))
      const wanted = cases.flatMap(({ outputs }) => outputs.score.data)
      const requests = cases.flatMap(instances).map(({ user_id, movie_id }) => ({
        query: { user_id, movie_id },
        candidate: { movie_id, user_id },
      }))
      const answers = lines(await run(['score', model(name)], jsonl(...requests))).map((line) => JSON.parse(line).score)
      expect(difference(answers, wanted)).toBeLessThan(1e-5)
    }
  })

  test('runs the whole graph where nothing separates it, and takes features for the tf.Example that it reads', async () => {
    const query = { user_id: 'anna', age: 31 }
    const candidate = { genres: ['drama', 'comedy'], movie_title: 'Key Largo', year: 1948 }
    const first = (name: string) => recorded(goldenFile(name))[0].outputs.score.data[0]
    for (const name of ['example_mlp', 'example_towers']) {
      const asked = [
        { query, candidate },
        { query, candidates: [candidate, candidate] },
        ...(name === 'example_mlp' ? [{ ...query, ...candidate }] : []),
      ]
      const answers = lines(await run(['score', model(name)], jsonl(...asked))).map((line) => JSON.parse(line))
      const scores = answers.flatMap(({ score, scores }) => score ?? scores)
      expect(difference(scores, Array(scores.length).fill(first(name)))).toBeLessThan(1e-5)
      expect(scores.length).toBe(asked.length + 1)
    }
    const [{ inputs, outputs }] = recorded(goldenFile('id_pairs')).slice(2)
    const pairs = rows(inputs.ids).map((ids) => ({ ids }))
    const answers = lines(await run(['score', model('id_pairs')], jsonl(...pairs))).map(
      (line) => JSON.parse(line).score,
    )
    expect(difference(answers, outputs.score.data)).toBeLessThan(1e-6)
    const bad = await run(['score', model('id_pairs')], jsonl({ query: { ids: [1, 2] }, candidate: { ids: [3, 4] } }))
    expect(bad.stdout).toMatch(/the sides give \\"ids\\" differently/)
  })

  test('asks for --similarity where the export does not say it', async () => {
    const requests = jsonl({ query: [1, 2], candidate: [3, 4] })
    const { status, stdout, stderr } = await run(['score', model('shared_signature')], requests)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(/^twotower: .*choose with --similarity dot, cosine or euclidean\n$/)
  })

  test('compares by the similarity that is chosen: the metrics as they are defined, of recorded embeddings', async () => {
    const cases = recorded(goldenFile('shared_signature')).filter(
      ({ inputs }) => inputs.user_id.shape[0] === inputs.movie_id.shape[0],
    )
    const requests = cases.flatMap(instances).map(({ user_id, movie_id }) => ({
      query: { user_id },
      candidate: { movie_id },
    }))
    const vectors = PAIR.map((side) => cases.flatMap(({ outputs }) => rows(outputs[`${side}_embedding`]) as number[][]))
    const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0)
    const metrics = {
      dot,
      cosine: (a: readonly number[], b: readonly number[]) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)),
      euclidean: (a: readonly number[], b: readonly number[]) => Math.hypot(...a.map((value, i) => value - b[i])),
    }
    for (const [name, metric] of Object.entries(metrics)) {
      const options = ['--similarity', name, '--scale', '2', '--bias', '-0.5', '--sigmoid']
      const finished = await run(['score', model('shared_signature'), ...options], jsonl(...requests))
      const answers = lines(finished).map((line) => JSON.parse(line).score)
      const wanted = vectors[0].map((query, i) => 1 / (1 + Math.exp(0.5 - 2 * metric(query, vectors[1][i]))))
      expect(difference(answers, wanted)).toBeLessThan(1e-6)
    }
  })

  test('puts an error in the place of a bad line', async () => {
    const bad: readonly (readonly [unknown, RegExp])[] = [
      ['{', /JSON/],
      [{ query: viewers[0] }, /"candidate"/],
      [{ query: [1], candidate: [1], candidates: [[1]] }, /"candidates"/],
      [{ query: [1, 2], candidate: [1, 2, 3] }, /2 dimensions.* 3/],
      [{ query: { viewer_id: 'mara' }, candidate: [1] }, /"birth_year" is missing/],
      [{ query: viewers[0], candidates: [films.get(ranking[0].top[0].id), { title: 'x' }] }, /missing in row 1/],
    ]
    const good = { query: [1, 0], candidate: [1, 0] }
    const finished = await run(['score', bundle], jsonl(...bad.flatMap(([line]) => [line, good])))
    expect(finished.status).toBe(1)
    const answers = lines(finished).map((line) => JSON.parse(line))
    bad.forEach(([, wanted], i) => {
      expect(answers[2 * i].error).toMatch(wanted)
      expect(answers[2 * i].error).toMatch(new RegExp(`^standard input:${2 * i + 1}: `))
      expect(answers[2 * i + 1].score).toBeCloseTo(1, 6)
    })
  })

  test('refuses a similarity that there is not, and its options without it', async () => {
    for (const options of [
      ['--similarity', 'jaccard'],
      ['--scale', '2'],
      ['--sigmoid'],
      ['--similarity', 'dot', '--scale', 'two'],
      ['--similarity', 'dot', '--bias', ''],
    ]) {
      const { status, stderr } = await run(['score', bundle, ...options])
      expect(status).toBe(2)
      expect(stderr).toMatch(/^twotower: --.*\n$/)
    }
  })
})
