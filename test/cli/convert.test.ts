import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseJson } from '../../src/json/parse.ts'
import {
  convertDemo,
  DEMO,
  difference,
  goldenFile,
  jsonl,
  killedAt,
  lines,
  model,
  recorded,
  rows,
  run,
  runOnFullDisk,
  scratch,
  twotower,
} from './command.ts'

const folder = scratch()
const FILES = ['manifest.json', 'weights.bin']

/** The bytes of the bundle at `path`; null where there is nothing. Conversion gives the same bytes each time. */
const bytesOf = (path: string): string | null =>
  existsSync(path)
    ? JSON.stringify(readdirSync(path).map((name) => [name, readFileSync(join(path, name), 'base64')]))
    : null

describe.concurrent('convert', () => {
  test('writes a bundle of two files, and says what it found', async () => {
    const bundle = join(folder, 'pair')
    const said = await convertDemo(bundle)
    expect(readdirSync(bundle).sort()).toEqual(FILES)
    expect(said).toMatch(/pair: 2 signatures \(query, candidate\), \d+\.\d MB\n/)
    expect(said).toMatch(/^query tower: .*viewer_id → embedding$/m)
    expect(said).toMatch(/^candidate tower: .*film_id.* → embedding$/m)
    expect(said).toMatch(/^similarity: cosine$/m)
  })

  test('gives a pair whose both towers answer as TensorFlow does', async () => {
    const bundle = join(folder, 'both')
    await convertDemo(bundle)
    for (const signature of ['query', 'candidate']) {
      const cases = recorded(join(DEMO, `goldens/${signature}_model.json`)).slice(0, 20)
      const answers = lines(
        await run(
          ['run', bundle],
          jsonl(
            ...cases.map(({ inputs }) => ({
              signature_name: signature,
              inputs: Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, rows(tensor)])),
            })),
          ),
        ),
      )
      cases.forEach(({ outputs }, i) => {
        const got = (JSON.parse(answers[i]) as { readonly outputs: readonly number[][] }).outputs.flat()
        expect(difference(got, outputs.embedding.data)).toBeLessThan(1e-6)
      })
    }
  })

  test('says that the similarity is not known where two exports do not say it, and keeps the one that is chosen', async () => {
    const pair = ['--query', model('vertex_pair/query_model'), '--candidate', model('vertex_pair/candidate_model')]
    expect(await twotower(['convert', ...pair, '-o', join(folder, 'unknown')])).toContain(
      'similarity: not known; choose with --similarity\n',
    )
    const chosen = join(folder, 'chosen')
    await twotower([
      'convert',
      ...pair,
      '-o',
      chosen,
      '--similarity',
      'dot',
      '--scale',
      '2',
      '--bias',
      '-1',
      '--sigmoid',
    ])
    const { towers } = JSON.parse(await twotower(['inspect', chosen, '--json']))
    expect(towers.similarity).toEqual({ metric: 'dot', scale: 2, bias: -1, sigmoid: true })
  })

  test('names the towers of one model by --query and --candidate', async () => {
    const bundle = join(folder, 'named')
    const said = await twotower([
      'convert',
      model('tower_signatures'),
      '--query',
      'query:embedding',
      '--candidate',
      'candidate',
      '-o',
      bundle,
    ])
    expect(said).toContain('query tower: user_id → embedding\ncandidate tower: movie_id → embedding\n')
    const wrong = await run(['convert', model('tower_signatures'), '--query', 'user', '-o', join(folder, 'wrong')])
    expect(wrong.status).toBe(1)
    expect(wrong.stderr).toMatch(/^twotower: .*"user".*\n$/)
    expect(existsSync(join(folder, 'wrong'))).toBe(false)
  })

  test('keeps --preprocess in the bundle, which then takes raw text for padded ids', async () => {
    const [file, bundle] = [join(folder, 'preprocess.json'), join(folder, 'raw')]
    const words = Array.from({ length: 50 }, (_, id) => `w${id}`)
    writeFileSync(join(folder, 'words.txt'), `${words.join('\n')}\n`)
    const steps = [
      { step: 'split' },
      { step: 'lookup', vocabulary: { file: 'words.txt' }, oov_ids: 0 },
      { step: 'pad', length: 16 },
    ]
    writeFileSync(file, JSON.stringify({ version: 1, inputs: { token_ids: { from: 'title', steps } } }))
    await twotower(['convert', model('padded_ids'), '--preprocess', file, '-o', bundle])
    const cases = recorded(goldenFile('padded_ids')).filter(({ inputs }) => inputs.token_ids.shape.length === 2)
    // Padding is at the end, so a text of the ids before it stands for the row.
    const texts = cases.map(({ inputs }) =>
      (rows(inputs.token_ids) as number[][]).map((ids) =>
        ids
          .slice(0, ids.findLastIndex((id) => id !== 0) + 1)
          .map((id) => words[id])
          .join(' '),
      ),
    )
    const stdin = jsonl(...texts.map((title) => ({ instances: title.map((text) => ({ title: text })) })))
    const answers = lines(await run(['run', bundle], stdin))
    expect(answers.length).toBeGreaterThan(2)
    cases.forEach(({ outputs }, i) => {
      const { predictions } = parseJson(answers[i]) as { readonly predictions: readonly Record<string, number[]>[] }
      for (const [name, { data }] of Object.entries(outputs))
        expect(
          difference(
            predictions.flatMap((row) => row[name]),
            data,
          ),
        ).toBeLessThan(1e-6)
    })
  })

  test('replaces a bundle that is there, and refuses a folder that holds anything else', async () => {
    const [bundle, other] = [join(folder, 'again'), join(folder, 'other')]
    await twotower(['convert', model('tower_signatures'), '-o', bundle])
    const before = bytesOf(bundle)
    await twotower(['convert', model('padded_ids'), '-o', bundle])
    expect(bytesOf(bundle)).not.toBe(before)
    expect(await twotower(['inspect', bundle])).toContain('token_ids')
    mkdirSync(other)
    writeFileSync(join(other, 'thesis.txt'), 'ten years of work')
    const { status, stderr } = await run(['convert', model('padded_ids'), '-o', other])
    expect(status).toBe(1)
    expect(stderr).toMatch(/^twotower: .* exists and holds other files; choose an empty or new folder\n$/)
    expect(readdirSync(other)).toEqual(['thesis.txt'])
  })

  test('leaves the old bundle where the new model cannot be read', async () => {
    const bundle = join(folder, 'kept')
    await twotower(['convert', model('tower_signatures'), '-o', bundle])
    const before = bytesOf(bundle)
    expect((await run(['convert', join(folder, 'nothing'), '-o', bundle])).status).toBe(1)
    expect(bytesOf(bundle)).toBe(before)
  })

  test('leaves the old bundle, the new one or none when it is killed, at whatever step', async () => {
    const [old, fresh] = ['padded_ids', 'tower_signatures'].map(model)
    const [before, after] = [old, fresh].map((_, i) => join(folder, `whole${i}`))
    await Promise.all([twotower(['convert', old, '-o', before]), twotower(['convert', fresh, '-o', after])])
    const names = new Map([before, after].map((path) => [bytesOf(path), basename(path)])).set(null, 'none')
    // The first steps are the same whether a bundle is there or not.
    for (const [replacing, first] of [
      [true, 0],
      [false, 8],
    ] as const) {
      const left: (string | undefined)[] = []
      for (let [step, isKilled] = [first as number, true]; isKilled; step++) {
        const parent = join(folder, `killed${replacing ? 'Replacing' : ''}${step}`)
        const bundle = join(parent, 'bundle')
        mkdirSync(parent)
        if (replacing) cpSync(before, bundle, { recursive: true })
        isKilled = await killedAt(step, parent, ['convert', fresh, '-o', bundle])
        left.push(names.get(bytesOf(bundle)))
        // Whatever stays beside it is hidden and named after it.
        for (const name of readdirSync(parent))
          expect(name === basename(bundle) || name.startsWith('.bundle.')).toBe(true)
      }
      const kinds = left.filter((name, i) => name !== left[i - 1])
      expect(kinds).toEqual(replacing ? ['whole0', 'none', 'whole1'] : ['none', 'whole1'])
      expect(left.length).toBeGreaterThan(replacing ? 12 : 2)
    }
  })

  test('names the file that does not fit on a full disk, and leaves nothing of the bundle', async () => {
    const parent = join(folder, 'crowded')
    const bundle = join(parent, 'bundle')
    const { status, stderr } = await runOnFullDisk(['convert', model('tower_signatures'), '-o', bundle])
    expect(stderr).toMatch(
      /^twotower: "\S+\/crowded\/bundle\/(manifest\.json|weights\.bin)" cannot be written: (EFBIG|ENOSPC).*\n$/,
    )
    expect(status).toBe(1)
    expect(readdirSync(parent)).toEqual([])
  })
})
