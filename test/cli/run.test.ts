import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  difference,
  goldenFile,
  instances,
  jsonl,
  lines,
  MAIN,
  model,
  type RecordedCase,
  recorded,
  rows,
  run,
} from './command.ts'

/** Answers of `twotower run` to `requests`, one a line. */
const ask = async (name: string, requests: readonly unknown[], ...options: readonly string[]): Promise<string[]> =>
  lines(await run(['run', model(name), ...options], jsonl(...requests)))

/** The columns of a case as TensorFlow Serving takes them. */
const columns = ({ inputs }: RecordedCase): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, tensor]) => [name, tensor.shape.length === 0 ? rows(tensor)[0] : rows(tensor)]),
  )

const flat = (value: unknown): number[] => (Array.isArray(value) ? value.flatMap(flat) : [Number(value)])

describe.concurrent('run', () => {
  const towers = recorded(goldenFile('tower_signatures'))
  const shared = recorded(goldenFile('shared_signature')).filter(
    ({ inputs }) => inputs.user_id.shape[0] === inputs.movie_id.shape[0],
  )

  test('answers columns with columns: the bare value of the only output', async () => {
    const answers = await ask(
      'tower_signatures',
      towers.map((item) => ({ signature_name: item.signature, inputs: columns(item) })),
    )
    towers.forEach(({ outputs }, i) => {
      const [{ data }] = Object.values(outputs)
      expect(difference(flat(JSON.parse(answers[i]).outputs), data)).toBeLessThan(1e-6)
    })
  })

  test('answers rows with rows, bare where there is one input and one output', async () => {
    const cases = towers.filter(({ signature }) => signature === 'query' || signature === 'candidate')
    const bare = cases.map(({ signature, inputs }) => ({
      signature_name: signature,
      instances: Object.values(inputs)[0].data,
    }))
    const named = cases.map((item) => ({ signature_name: item.signature, instances: instances(item) }))
    const answers = await ask('tower_signatures', [...bare, ...named])
    answers.forEach((answer, i) => {
      const { embedding } = cases[i % cases.length].outputs
      const { predictions } = JSON.parse(answer) as { readonly predictions: readonly number[][] }
      expect(predictions).toHaveLength(embedding.shape[0])
      expect(difference(predictions.flat(), embedding.data)).toBeLessThan(1e-6)
    })
    expect(answers).toHaveLength(2 * cases.length)
  })

  test('names several outputs: an object of columns, or an object a row', async () => {
    const answers = await ask('shared_signature', [
      ...shared.map((item) => ({ inputs: columns(item) })),
      ...shared.map((item) => ({ instances: instances(item) })),
    ])
    shared.forEach(({ outputs }, i) => {
      const { outputs: byColumn } = JSON.parse(answers[i])
      const { predictions } = JSON.parse(answers[shared.length + i])
      expect(Object.keys(byColumn).sort()).toEqual(Object.keys(outputs).sort())
      for (const [name, { data }] of Object.entries(outputs)) {
        expect(difference(flat(byColumn[name]), data)).toBeLessThan(1e-6)
        expect(
          difference(
            predictions.flatMap((row: Record<string, number[]>) => row[name]),
            data,
          ),
        ).toBeLessThan(1e-6)
      }
    })
  })

  test('takes --signature for requests that name none', async () => {
    const query = towers.find(({ signature }) => signature === 'query') as RecordedCase
    const candidate = towers.find(({ signature }) => signature === 'candidate') as RecordedCase
    const answers = await ask(
      'tower_signatures',
      [{ inputs: columns(query) }, { signature_name: 'candidate', inputs: columns(candidate) }],
      '--signature',
      'query',
    )
    expect(difference(flat(JSON.parse(answers[0]).outputs), query.outputs.embedding.data)).toBeLessThan(1e-6)
    expect(difference(flat(JSON.parse(answers[1]).outputs), candidate.outputs.embedding.data)).toBeLessThan(1e-6)
  })

  test('ends quietly when its reader closes early, and says it when the disk is full', async () => {
    const piped = (command: string) =>
      spawnSync('bash', ['-c', `set -o pipefail; ${command}`, MAIN, model('tower_signatures')], { encoding: 'utf8' })
    const asked = `yes '{"instances": ["1"]}' | head -n 20000`
    const ours = `'${process.execPath}' "$0" run "$1" --signature query`
    const { stdout, stderr } = piped(`${asked} | (${ours}; echo "ended with $?" >&2) | head -n 1`)
    expect(stdout).toMatch(/^\{"predictions": \[\[.*\]\]\}\n$/)
    expect(stderr).toBe('ended with 0\n')
    if (!existsSync('/dev/full')) return
    expect(piped(`${asked} | ${ours} > /dev/full`)).toMatchObject({
      stderr: 'twotower: standard output cannot be written: ENOSPC: no space left on device, write\n',
    })
  })

  test('takes bytes as {"b64"} and gives back what is not UTF-8 so', async () => {
    const cases = recorded(goldenFile('invalid_utf8'))
    const answers = await ask(
      'invalid_utf8',
      cases.map((item) => ({ inputs: columns(item) })),
    )
    cases.forEach(({ outputs }, i) => {
      const got = JSON.parse(answers[i]).outputs
      for (const [name, tensor] of Object.entries(outputs)) expect(got[name]).toEqual(rows(tensor))
    })
    expect(answers[0]).toContain('{"b64": "//4="}')
  })

  test('writes NaN and the infinities bare, and reads them so', async () => {
    const cases = recorded(goldenFile('hashing')).filter(({ inputs }) => inputs.value.data.includes('NaN'))
    expect(cases.length).toBeGreaterThan(0)
    for (const item of cases) {
      const request = jsonl({ inputs: columns(item) }).trimEnd()
      expect(request).toContain('NaN, Infinity, -Infinity]')
      const [answer] = await ask('hashing', [request])
      const inverted = /"inverted": \[([^\]]*)\]/.exec(answer)?.[1].split(', ') ?? []
      expect(inverted).toContain('NaN')
      expect(inverted).toContain('-Infinity')
      expect(difference(inverted.map(Number), item.outputs.inverted.data)).toBeLessThan(1e-5)
    }
  })

  test('reads and writes int64 in full digits', async () => {
    const cases = recorded(goldenFile('int64_exact'))
    const answers = await ask(
      'int64_exact',
      cases.map((item) => ({ inputs: columns(item) })),
    )
    expect(answers.join()).toContain('-9223372036854775808')
    cases.forEach(({ outputs }, i) => {
      for (const [name, { dtype, shape, data }] of Object.entries(outputs))
        if (dtype === 'int64')
          expect(answers[i]).toContain(`"${name}": ${shape.length === 0 ? data[0] : `[${data.join(', ')}]`}`)
    })
  })

  test('puts an error in the place of a bad line, answers the others, and ends with 1', async () => {
    const [first] = towers.filter(({ signature }) => signature === 'query')
    const good = { signature_name: 'query', inputs: columns(first) }
    const bad: readonly (readonly [unknown, RegExp])[] = [
      ['{"inputs": ', /JSON/],
      [[1, 2], /object with "inputs" or "instances"/],
      [{ signature_name: 'query' }, /neither "inputs" nor "instances"/],
      [{ signature_name: 'query', inputs: { user_id: ['1'] }, instances: ['1'] }, /not both/],
      [{ signature_name: 'query', instances: [] }, /empty/],
      [{ signature_name: 'guess', inputs: { user_id: ['1'] } }, /no signature "guess"/],
      [{ signature_name: 'query', inputs: { user: ['1'] } }, /"user"/],
      [{ signature_name: 'query', inputs: { user_id: [1] } }, /user_id.*string/],
      [{ signature_name: 'score', instances: [{ user_id: '1', movie_id: 'x' }, { user_id: '1' }] }, /instance 1/],
    ]
    const finished = await run(
      ['run', model('tower_signatures')],
      jsonl(good, ...bad.flatMap(([request]) => [request, good])),
    )
    expect(finished.status).toBe(1)
    expect(finished.stderr).toBe('')
    const answers = lines(finished)
    expect(answers).toHaveLength(2 * bad.length + 1)
    for (let i = 0; i < answers.length; i += 2) expect(answers[i]).toBe(answers[0])
    bad.forEach(([, wanted], i) => {
      const answer = JSON.parse(answers[2 * i + 1])
      expect(Object.keys(answer)).toEqual(['error'])
      expect(answer.error).toMatch(wanted)
    })
  })

  test('refuses what TensorFlow refuses', async () => {
    const answers = await ask('all_dtypes', [{ inputs: { index: [3] } }, { inputs: { index: [0] } }])
    expect(JSON.parse(answers[0]).error).toMatch(/3 is not in \[0, 3\)/)
    expect(JSON.parse(answers[1]).outputs.float32).toEqual([0.1])
  })

  test('refuses complex inputs by name, and answers the other signatures', async () => {
    const [first] = recorded(goldenFile('complex_scores'))
    const answers = await ask('complex_scores', [
      { signature_name: 'conjugate', inputs: { numbers: [[1, 2]] } },
      { inputs: columns(first) },
    ])
    expect(JSON.parse(answers[0]).error).toBe('input "numbers" is a complex64: it cannot be given by lists')
    const { outputs } = JSON.parse(answers[1])
    expect(difference(outputs.complex, first.outputs.complex.data)).toBeLessThan(1e-5)
  })

  test('leaves out an input with a default, and takes scalars', async () => {
    const cases = recorded(goldenFile('defaults'))
    const answers = await ask(
      'defaults',
      cases.map((item) => ({ inputs: columns(item) })),
    )
    cases.forEach(({ outputs }, i) => {
      for (const [name, { data }] of Object.entries(outputs))
        expect(difference(flat(JSON.parse(answers[i]).outputs[name]), data)).toBeLessThan(1e-6)
    })
  })
})
