import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { convertDemo, DEMO, demoRanking, demoRows, model, run, scratch, twotower } from './command.ts'

const folder = scratch()
const bundle = join(folder, 'demo')
beforeAll(() => convertDemo(bundle))

interface Told {
  readonly parts: readonly {
    readonly inputs: readonly { readonly name: string; readonly stages: readonly { readonly kind: string }[] }[]
  }[]
  readonly score?: { readonly value: number; readonly features: readonly unknown[] }
}

const json = async (args: readonly string[], stdin = ''): Promise<Told> =>
  JSON.parse(await twotower(['explain', ...args, '--json'], stdin))

describe.concurrent('explain', () => {
  const [{ viewer, top }] = demoRanking()
  const query = demoRows('viewers.jsonl').find(({ id }) => id === viewer)
  const candidate = demoRows('films.jsonl').find(({ id }) => id === top[0].id)
  const pair = JSON.stringify({ query, candidate })

  test('follows a pair to the score that TensorFlow gave, in lines of a terminal', async () => {
    const text = await twotower(['explain', bundle, pair])
    expect(text).toMatch(/^query tower$/m)
    expect(text).toMatch(/^candidate tower$/m)
    const [, score] = /^score (\S+): cosine$/m.exec(text) ?? []
    expect(Math.abs(Number(score) - top[0].score)).toBeLessThan(1e-5)
    expect(text).toMatch(/^ {2}largest dimensions$/m)
    expect(text).toMatch(/^ {4}query tower, viewer_id +\S+ +it adds [+-]/m)
    const known = readFileSync(join(DEMO, 'query_model/assets/viewer_ids.txt'), 'utf8').split('\n').indexOf(viewer)
    expect(text).toMatch(
      known < 0
        ? new RegExp(`"${viewer}" → 0 out of vocabulary`)
        : new RegExp(`^ {4}vocabulary .*: "${viewer}" → ${known + 1}$`, 'm'),
    )
    expect(text).toMatch(/^ {4}lower-cased → "/m)
    expect(text).toMatch(/hash bucket \d+ of 512$/m)
  })

  test('takes JSON itself, a file and standard input alike', async () => {
    const file = join(folder, 'pair.json')
    writeFileSync(file, JSON.stringify({ query, candidate }, null, 2))
    const [inline, ofFile, ofInput] = await Promise.all([
      twotower(['explain', bundle, pair]),
      twotower(['explain', bundle, file]),
      twotower(['explain', bundle, '-'], pair),
    ])
    expect(ofFile).toBe(inline)
    expect(ofInput).toBe(inline)
  })

  test('finds the tower that the features are of, and says which features there are where none fits', async () => {
    const { parts, score } = await json([bundle, JSON.stringify(query)])
    expect(parts.map(({ inputs }) => inputs.map(({ name }) => name))).toEqual([
      Object.keys(query ?? {})
        .filter((name) => name !== 'id' && name !== 'description')
        .sort(),
    ])
    expect(score).toBeUndefined()
    const { status, stderr } = await run(['explain', bundle, '{"viewer": 1}'])
    expect(status).toBe(1)
    expect(stderr).toMatch(/^twotower: .*query tower takes birth_year, .*candidate tower takes .*\n$/)
  })

  test('tells the same of a SavedModel and of the bundle made of it', async () => {
    const converted = join(folder, 'text')
    await twotower(['convert', model('text_vectorization'), '-o', converted])
    const input = '{"text": "The NIGHT of zzz"}'
    const [saved, flat] = await Promise.all([json([model('text_vectorization'), input]), json([converted, input])])
    const kinds = ({ parts }: Told) => parts[0].inputs[0].stages.map(({ kind }) => kind)
    expect(kinds(flat)).toEqual(kinds(saved))
    expect(flat.score).toEqual(saved.score)
  })

  test('follows an instance of the signature that is named, as Vertex writes it too', async () => {
    const features = '{"user_id": "1", "movie_id": "tt00001"}'
    const plain = await json([model('fused_temperature'), features, '--signature', 'serving_default'])
    const data = JSON.stringify({ data: features, key: 'k' })
    expect(await json([model('fused_temperature'), data, '--signature', 'serving_default'])).toEqual(plain)
    expect(plain.parts.length).toBe(1)
    expect(plain.score?.features.length).toBe(2)
    const { status, stderr } = await run(['explain', model('fused_temperature'), features, '--signature', 'x'])
    expect(status).toBe(1)
    expect(stderr).toMatch(/no signature "x"; it has "serving_default"/)
  })

  test('takes the bytes of an only input as they are, and counts what comes many times in a row', async () => {
    const text = Buffer.from('The night').toString('base64')
    expect(await json([model('text_vectorization'), JSON.stringify({ b64: text })])).toEqual(
      await json([model('text_vectorization'), '{"text": "The night"}']),
    )
    expect(await twotower(['explain', model('text_vectorization'), '{"text": "the zzz night"}'])).toMatch(
      / counted into \d+ → 1 0 1 0×\d+ 1 0×\d+$/m,
    )
  })

  test('compares by the similarity that is chosen', async () => {
    const args = [model('shared_signature'), '{"query": {"user_id": "1"}, "candidate": {"movie_id": "tt00001"}}']
    expect((await json(args)).score).toBeUndefined()
    expect(await twotower(['explain', ...args, '--similarity', 'dot', '--scale', '2'])).toMatch(/^score \S+: 2 · dot$/m)
  })

  test('says what is wrong with an input in one line', async () => {
    for (const [input, wanted, of = bundle] of [
      ['{', /the instance is not JSON/],
      ['[]', /an instance must be an object of features/, model('fused_dot')],
      ['no-such-file.json', /there is no file "no-such-file\.json"/],
      ['{"query": {"viewer_id": "a"}}', /"birth_year" is missing/],
    ] as const) {
      const { status, stdout, stderr } = await run(['explain', of, input])
      expect([status, stdout]).toEqual([1, ''])
      expect(stderr).toMatch(wanted)
      expect(stderr).toMatch(/^twotower: .*\n$/)
    }
  })
})
