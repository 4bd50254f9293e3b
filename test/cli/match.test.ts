import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { difference, jsonl, model, run, scratch, twotower } from './command.ts'

const folder = scratch()
const recordings = fileURLToPath(new URL('../fixtures/match/', import.meta.url))
const TOWERS = model('bare_towers')
const lower = join(recordings, 'query.wordpiece-framed-lower.jsonl')
copyFileSync(join(recordings, 'pieces.txt'), join(folder, 'pieces.txt'))

interface Line {
  readonly instance: { readonly bio: string }
  readonly prediction: number[]
}
const lines = readFileSync(lower, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Line)

describe.concurrent('match', () => {
  test('writes a preprocess.json with which convert makes a bundle that answers as TensorFlow did', async () => {
    const [written, bundle] = [join(folder, 'found.json'), join(folder, 'found')]
    const { status, stdout, stderr } = await run([
      'match',
      TOWERS,
      '--signature',
      'query',
      '--predictions',
      lower,
      '--vocabulary',
      join(folder, 'pieces.txt'),
      '-o',
      written,
    ])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^16 recordings of signature "query", \d+ tries\nREPRODUCED: all are within 0.0001, /)
    expect(stdout).toContain('  special tokens  [CLS] … [SEP]\n')
    // The vocabulary lies beside it.
    expect(readFileSync(written, 'utf8')).toContain('"file": "pieces.txt"')
    await twotower(['convert', TOWERS, '--preprocess', written, '-o', bundle])
    const instances = lines.map(({ instance }) => instance)
    const answer = await twotower(['run', bundle, '--signature', 'query'], jsonl({ instances }))
    const { predictions } = JSON.parse(answer) as { readonly predictions: number[][] }
    for (const [i, { prediction }] of lines.entries()) expect(difference(predictions[i], prediction)).toBeLessThan(1e-6)
    // What the bundle declares is what is gone on from.
    const again = await run(['match', bundle, '--signature', 'query', '--predictions', lower, '-o', written, '--json'])
    expect(JSON.parse(again.stdout)).toMatchObject({ reproduced: true, tries: expect.any(Number), written })
  })

  test('takes one JSON list as well, and goes on from a preprocess.json', async () => {
    const [list, start] = [join(folder, 'list.json'), join(folder, 'start.json')]
    writeFileSync(list, JSON.stringify(lines))
    const tokens = { vocabulary: { file: 'pieces.txt' } }
    const steps = (...last: object[]) => ({
      from: 'bio',
      steps: [{ step: 'bert_tokens', ...tokens, lower_case: false }, { step: 'truncate', length: 10 }, ...last],
    })
    const framed = { step: 'add_tokens', start: ['[CLS]'], end: ['[SEP]'] }
    const ids = steps(framed, { step: 'lookup', ...tokens, oov_ids: 0 }, { step: 'pad', length: 12 })
    const mask = steps(framed, { step: 'fill', value: 1 }, { step: 'pad', length: 12, side: 'start' })
    writeFileSync(start, JSON.stringify({ version: 1, inputs: { input_word_ids: ids, input_mask: mask } }))
    const args = ['match', TOWERS, '--signature', 'query', '--predictions', list, '--preprocess', start]
    const { status, stdout } = await run([...args, '-o', join(folder, 'mended.json')])
    expect(stdout).toContain('REPRODUCED')
    expect(status).toBe(0)
    const { inputs } = JSON.parse(readFileSync(join(folder, 'mended.json'), 'utf8'))
    expect(inputs.input_mask.steps.at(-1)).toEqual({ step: 'pad', length: 12 })
    expect(inputs.input_mask.steps[0]).toMatchObject({ step: 'bert_tokens', lower_case: true })
  })

  test('ends with 1 where nothing reproduces, names each instance that differs, and writes only where it is told', async () => {
    const file = join(recordings, 'query.reversed.jsonl')
    const vocabulary = `bio=${join(recordings, 'pieces.txt')}`
    const args = ['match', TOWERS, '--signature', 'query', '--predictions', file, '--vocabulary', vocabulary]
    const { status, stdout } = await run([...args, '--limit', '300'])
    expect(status).toBe(1)
    expect(stdout).toMatch(/\nNOT reproduced: \d+ of 16 differ under the closest, /)
    expect(stdout).toMatch(/\.jsonl:1\n {4}embedding value \d+: expected 0\.\d+, got .*; largest error/)
    expect(stdout).not.toContain('written to')
    expect(existsSync('preprocess.json')).toBe(false)
    const closest = join(folder, 'closest.json')
    const told = await run([...args, '--limit', '300', '-o', closest])
    expect(told.stdout).toContain(`written to ${closest}, which does not reproduce the recordings\n`)
  })

  test('prints the options of a similarity that it finds', async () => {
    const file = join(recordings, 'pairs.scaled-cosine-logistic.jsonl')
    const { status, stdout } = await run(['match', model('tower_signatures'), '--predictions', file])
    expect(stdout).toContain(
      'similarity: 6.5 · cosine − 0.75, logistic (fitted)\n  --similarity cosine --scale 6.5 --bias -0.75 --sigmoid\n',
    )
    expect(status).toBe(0)
    const scored = readFileSync(file, 'utf8')
    const options = '--similarity cosine --scale 6.5 --bias -0.75 --sigmoid'.split(' ')
    const scores = (await twotower(['score', model('tower_signatures'), ...options], scored)).trimEnd().split('\n')
    const wanted = scored.trimEnd().split('\n')
    expect(
      difference(
        scores.map((line) => JSON.parse(line).score),
        wanted.map((line) => JSON.parse(line).score),
      ),
    ).toBeLessThan(1e-6)
  })

  test('says in one line what is wrong with a file', async () => {
    const [broken, other, words] = [
      join(folder, 'broken.jsonl'),
      join(folder, 'other.jsonl'),
      join(folder, 'words.txt'),
    ]
    writeFileSync(broken, '{"instance": {}, "prediction": [1]}\n{"instance"\n')
    writeFileSync(other, '{"rows": []}\n')
    writeFileSync(words, 'a\na\n')
    for (const [args, said] of [
      [['--predictions', '/no/file'], 'there is no file "/no/file"'],
      [['--predictions', broken], `${broken}:2: `],
      [['--predictions', other], `${other}: a recording is {"instance", "prediction"}`],
      [['--predictions', lower, '--vocabulary', words], `${words}: the token "a" comes twice`],
      [['--predictions', lower, '--vocabulary', '/no/words'], 'there is no file "/no/words"'],
      [['--predictions', lower, '--preprocess', words], `${words} is not JSON: `],
      [['--predictions', lower], 'name a signature; '],
    ] as const) {
      const { status, stdout, stderr } = await run(['match', TOWERS, ...args])
      expect({ args, status, stdout }).toEqual({ args, status: 1, stdout: '' })
      expect(stderr).toContain(`twotower: ${said}`)
      expect(stderr.split('\n')).toHaveLength(2)
    }
  })

  test('ends with 2 where a tolerance or a limit is none', async () => {
    for (const option of [
      ['--tolerance', 'small'],
      ['--tolerance', ''],
      ['--limit', '0'],
    ])
      expect((await run(['match', TOWERS, '--predictions', lower, ...option])).status).toBe(2)
  })
})
