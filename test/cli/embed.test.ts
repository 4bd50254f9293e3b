import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseJson } from '../../src/json/parse.ts'
import {
  convertDemo,
  DEMO,
  demoRanking,
  demoRows,
  difference,
  type Finished,
  goldenFile,
  instances,
  jsonl,
  lines,
  MAIN,
  model,
  recorded,
  rows,
  run,
  scratch,
} from './command.ts'

const folder = scratch()
const bundle = join(folder, 'demo')
beforeAll(() => convertDemo(bundle))

interface Answer {
  readonly id?: unknown
  readonly key?: unknown
  readonly embedding?: readonly number[]
  readonly error?: string
}

const answersOf = (finished: Finished): Answer[] => lines(finished).map((line) => parseJson(line) as Answer)

describe.concurrent('embed', () => {
  for (const side of ['query', 'candidate'] as const) {
    test(`gives the ${side} tower's embeddings of TensorFlow, in order, with each row's id`, async () => {
      const cases = recorded(join(DEMO, `goldens/${side}_model.json`))
      const features = cases.flatMap(instances).map((row, id) => ({ id, ...row }))
      const wanted = cases.flatMap(({ outputs }) => rows(outputs.embedding) as number[][])
      const finished = await run(['embed', bundle, '--tower', side, '--batch', '7'], jsonl(...features))
      expect(finished.status).toBe(0)
      const answers = answersOf(finished)
      expect(answers.map(({ id }) => id)).toEqual(wanted.map((_, id) => id))
      answers.forEach(({ embedding }, i) => {
        expect(difference(embedding ?? [], wanted[i])).toBeLessThan(1e-6)
      })
    })
  }

  test.each(['SIGINT', 'SIGTERM'] as const)('leaves no unfinished file where %s stops it', async (signal) => {
    const output = join(folder, `stopped by ${signal}`)
    const files = ['-o', join(output, 'rows.jsonl'), '--errors', join(output, 'bad')]
    const command = ['embed', bundle, '--tower', 'query', '--batch', '1', '--workers', '1', ...files]
    const child = spawn(process.execPath, [MAIN, ...command], { stdio: ['pipe', 'ignore', 'inherit'] })
    // Its input never ends.
    child.stdin.write(jsonl(...demoRows('viewers.jsonl')))
    const there = () => (existsSync(output) ? readdirSync(output) : [])
    await expect.poll(there, { timeout: 20_000 }).toHaveLength(2)
    child.kill(signal)
    expect(await once(child, 'exit')).toEqual([null, signal])
    expect(there()).toEqual([])
  })

  test('needs no --tower where the model has one, and asks for it where there are two', async () => {
    const viewers = demoRows('viewers.jsonl')
    const finished = await run(['embed', join(DEMO, 'query_model')], jsonl(...viewers))
    const ranking = demoRanking()
    answersOf(finished).forEach(({ id, embedding }, i) => {
      expect(id).toBe(ranking[i].viewer)
      expect(difference(embedding ?? [], ranking[i].embedding)).toBeLessThan(1e-6)
    })
    const both = await run(['embed', bundle], jsonl(...viewers))
    expect(both.status).toBe(2)
    expect(both.stderr).toBe('twotower: the model has two towers: choose one with --tower query or --tower candidate\n')
    expect((await run(['embed', bundle, '--tower', 'user'])).status).toBe(2)
    const missing = await run(['embed', join(DEMO, 'query_model'), '--tower', 'candidate'], jsonl(...viewers))
    expect(missing.status).toBe(1)
    expect(missing.stdout).toBe('')
    expect(missing.stderr).toMatch(/^twotower: .* has no candidate tower .*\n$/)
  })

  test("opens Vertex AI's instances and gives back their keys", async () => {
    const cases = recorded(goldenFile('vertex_pair.query_model')).filter(
      // Where an age of a million cancels, small values have few digits.
      ({ inputs }) => !inputs.age.data.includes(1e6),
    )
    const wanted = cases.flatMap(({ outputs }) => rows(outputs.embedding) as number[][])
    const features = cases.flatMap(instances)
    const finished = await run(
      ['embed', model('vertex_pair/query_model')],
      jsonl(...features.map((row, i) => ({ data: JSON.stringify(row), key: `row ${i}` }))),
    )
    const answers = answersOf(finished)
    expect(answers.map(({ key }) => key)).toEqual(wanted.map((_, i) => `row ${i}`))
    answers.forEach(({ embedding }, i) => {
      expect(difference(embedding ?? [], wanted[i])).toBeLessThan(1e-5)
    })
  })

  test('gives back an id of any kind, also one past 2^53', async () => {
    const ids = ['"a"', '7', '9007199254740993', '-1.5', 'null', '["x", 1]', '{"shop": "b", "n": 9223372036854775807}']
    const numbers = Array.from({ length: 64 }, (_, i) => i).join(', ')
    const named = ids.map((id) => `{"id": ${id}, "embedding": [${numbers}]}`)
    expect(lines(await run(['embed', join(DEMO, 'query_model')], jsonl(...named)))).toEqual(named)
  })

  test('puts an error in the place of a bad row and spoils no other row of its batch', async () => {
    const viewers = demoRows('viewers.jsonl')
    const { household: _, ...incomplete } = viewers[1]
    const finished = await run(
      ['embed', join(DEMO, 'query_model')],
      jsonl(viewers[0], incomplete, '{"id": ', 'null', viewers[3], { ...viewers[4], taste: [1, 2] }, viewers[5]),
    )
    expect(finished.status).toBe(1)
    const answers = answersOf(finished)
    expect(answers.map(({ error }) => error === undefined)).toEqual([true, false, false, false, true, false, true])
    expect(answers[1]).toMatchObject({ id: 'otto', error: expect.stringMatching(/^standard input:2: .*"household"/) })
    expect(answers[5].error).toMatch(/^standard input:6: .*taste/)
    for (const [i, ranked] of [0, 3, 5].entries()) {
      const at = [0, 4, 6][i]
      expect(difference(answers[at].embedding ?? [], demoRanking()[ranked].embedding)).toBeLessThan(1e-6)
    }
  })

  test('reads several files one after the other, and - as standard input', async () => {
    const [first, second] = [join(folder, 'first.jsonl'), join(folder, 'second.jsonl')]
    writeFileSync(first, '{"id": 1, "embedding": [1]}\n\n{"id": 2}')
    writeFileSync(second, '{"id": 4, "embedding": [4]}')
    const finished = await run(
      ['embed', join(DEMO, 'query_model'), first, '-', second],
      '{"id": 3, "embedding": [3]}\r\n',
    )
    const answers = answersOf(finished)
    expect(answers.map(({ id }) => id)).toEqual([1, 2, 3, 4])
    expect(answers[1].error).toContain('first.jsonl:3: ')
  })

  test('ends a line at a line feed only, leaves out a byte order mark, and refuses what is not UTF-8', async () => {
    const finished = await run(
      ['embed', join(DEMO, 'query_model')],
      Buffer.concat([
        Buffer.from('\uFEFF{"id": "a\u2028b\u2029c\u0085", "embedding": [1]}\r\n{"id": "'),
        Buffer.from([0xff]),
        Buffer.from('", "embedding": [2]}\n{"id": "é", "embedding": [3]}'),
      ]),
    )
    const answers = answersOf(finished)
    expect(answers.map(({ id }) => id)).toEqual(['a\u2028b\u2029c\u0085', undefined, 'é'])
    expect(answers[1].error).toMatch(/^standard input:2: the line is not UTF-8/)
  })

  test('gives the same bytes with any number of workers, from a bundle and from SavedModels', async () => {
    const films = demoRows('films.jsonl')
    const stdin = jsonl(...films.slice(0, 700), '{"id": 1}', '', ...films.slice(700, 1500))
    const args = ['--tower', 'candidate', '--batch', '64']
    const alone = await run(['embed', bundle, ...args, '--workers', '1'], stdin)
    expect(lines(alone)).toHaveLength(1501)
    expect(answersOf(alone)[700].error).toMatch(/^standard input:701: /)
    for (const source of [bundle, join(DEMO, 'candidate_model')])
      expect(await run(['embed', source, ...args, '--workers', '3'], stdin)).toEqual(alone)
  })

  test('-o writes what standard output would have got, and nothing else', async () => {
    const stdin = jsonl(...demoRows('viewers.jsonl'))
    const [plain, output] = [await run(['embed', join(DEMO, 'query_model')], stdin), join(folder, 'new/viewers.jsonl')]
    const finished = await run(['embed', join(DEMO, 'query_model'), '-o', output], stdin)
    expect(finished).toEqual({ status: 0, stdout: '', stderr: '' })
    expect(readFileSync(output, 'utf8')).toBe(plain.stdout)
    expect(readdirSync(join(folder, 'new'))).toEqual(['viewers.jsonl'])
  })

  test('-o keeps the old file where the work cannot be ended', async () => {
    const [output, rowsFile] = [join(folder, 'kept/vectors.jsonl'), join(folder, 'good.jsonl')]
    mkdirSync(join(folder, 'kept'))
    writeFileSync(output, 'old\n')
    writeFileSync(rowsFile, jsonl(demoRows('viewers.jsonl')[0]))
    const missing = join(folder, 'missing.jsonl')
    const finished = await run(['embed', join(DEMO, 'query_model'), rowsFile, missing, '-o', output])
    expect(finished).toEqual({ status: 1, stdout: '', stderr: `twotower: there is no file "${missing}"\n` })
    expect(readFileSync(output, 'utf8')).toBe('old\n')
    expect(readdirSync(join(folder, 'kept'))).toEqual(['vectors.jsonl'])
  })

  test('-o writes through a link or to a device, and says in a line what cannot be written', async () => {
    const stdin = jsonl(demoRows('viewers.jsonl')[0])
    // By links of the test's own: no device is lost where a rename replaces what it should not.
    const [file, link, full] = ['linked.jsonl', 'link', 'full'].map((name) => join(folder, name))
    symlinkSync(file, link)
    await run(['embed', join(DEMO, 'query_model'), '-o', link], stdin)
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(readFileSync(file, 'utf8')).toMatch(/^{"id": "mara", "embedding": .*\n$/)
    if (existsSync('/dev/full')) {
      symlinkSync('/dev/full', full)
      const finished = await run(['embed', join(DEMO, 'query_model'), '-o', full], stdin)
      expect(finished.status).toBe(1)
      expect(finished.stderr).toMatch(/^twotower: "\S+\/full" cannot be written: ENOSPC.*\n$/)
    }
    const inFolder = await run(['embed', join(DEMO, 'query_model'), '-o', folder], stdin)
    expect(inFolder).toMatchObject({
      status: 1,
      stderr: `twotower: "${folder}" is a folder; choose a file, or files of so many rows in it with --shard-rows\n`,
    })
  })
})
