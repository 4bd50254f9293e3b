import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseJson } from '../../src/json/parse.ts'
import { convertDemo, DEMO, goldenFile, instances, jsonl, model, recorded, rows, run, scratch } from './command.ts'

const folder = scratch()

interface Golden {
  readonly cases: {
    signature: string
    inputs: Record<string, unknown>
    outputs?: Record<string, { readonly data: (number | string)[] }>
    error?: string
  }[]
}

/** The golden in `original`, changed by `change`, as a file. */
function changed(original: string, change: (golden: Golden) => void): string {
  const golden = JSON.parse(readFileSync(original, 'utf8')) as Golden
  change(golden)
  const file = join(folder, basename(original))
  writeFileSync(file, JSON.stringify(golden))
  return file
}

describe.concurrent('verify', () => {
  test('finds goldens of TensorFlow equal, refusals among them', async () => {
    const { status, stdout, stderr } = await run(['verify', model('asserts'), goldenFile('asserts')])
    const { cases } = JSON.parse(readFileSync(goldenFile('asserts'), 'utf8')) as Golden
    const refusals = cases.filter(({ error }) => error !== undefined).length
    expect(refusals).toBeGreaterThan(0)
    expect(stdout).toContain(
      `${cases.length} cases against the recording, ${refusals} refused by both, tolerance 0.00001\n`,
    )
    expect(stdout).toMatch(/\nequal\n$/)
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })

  test('finds strings, bytes, 64-bit integers and half floats equal, several files at once', async () => {
    for (const name of ['invalid_utf8', 'int64_exact', 'half_bfloat16'])
      expect(await run(['verify', model(name), goldenFile(name)])).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(/\nequal\n$/),
      })
    const two = await run([
      'verify',
      join(DEMO, 'query_model'),
      `${DEMO}/goldens/query_model.json`,
      `${DEMO}/goldens/query_model.json`,
    ])
    expect(two.stdout).toMatch(/^126 cases/)
  })

  test('finds a bundle of both towers equal to a recording that names its signatures', async () => {
    const bundle = join(folder, 'demo')
    await convertDemo(bundle)
    const golden = JSON.parse(readFileSync(`${DEMO}/goldens/candidate_model.json`, 'utf8')) as Golden
    for (const item of golden.cases) item.signature = 'candidate'
    const file = join(folder, 'candidate.json')
    writeFileSync(file, JSON.stringify(golden))
    expect((await run(['verify', bundle, file])).status).toBe(0)
  })

  test('fails where one number of a golden is another, and names the case, the value and both numbers', async () => {
    let [wanted, original] = [0, 0]
    const query = join(DEMO, 'query_model')
    const at = recorded(`${DEMO}/goldens/query_model.json`).findIndex(({ inputs }) => inputs.viewer_id.shape[0] === 2)
    const file = changed(`${DEMO}/goldens/query_model.json`, ({ cases }) => {
      const { data } = cases[at].outputs?.embedding ?? { data: [] }
      original = Number(data[70])
      wanted = original + 0.001
      data[70] = wanted
    })
    const { status, stdout } = await run(['verify', query, file])
    expect(status).toBe(1)
    expect(stdout).toMatch(/\nNOT equal\n$/)
    const worst = /^serving_default\/embedding: worst at .* case (\d+), value 70: expected (.*), got (.*)$/m.exec(
      stdout,
    )
    expect(Number(worst?.[1])).toBe(at)
    expect(Number(worst?.[2])).toBe(wanted)
    expect(Math.abs(Number(worst?.[3]) - original)).toBeLessThan(1e-5)
    const report = JSON.parse((await run(['verify', query, file, '--json'])).stdout)
    expect(report.outputs).toHaveLength(1)
    expect(report.outputs[0]).toMatchObject({ wrong: 1, worst: { index: 70, expected: wanted } })
    expect(report.outputs[0].maxAbsolute).toBeCloseTo(0.001, 5)
    expect((await run(['verify', query, file, '--tolerance', '0.02'])).status).toBe(0)
  })

  test('names the worst of the wrong values, not a large one that is right and further off', async () => {
    const file = changed(goldenFile('vertex_pair.query_model'), ({ cases }) => {
      // Embeddings of an age of a million are off by 0.01 in 60,000.
      const { data } = cases[1].outputs?.embedding ?? { data: [] }
      data[70] = Number(data[70]) + 0.001
    })
    const { stdout } = await run(['verify', model('vertex_pair/query_model'), file])
    expect(stdout).toMatch(/^serving_default\/embedding: worst at .* case 1, value 70: /m)
  })

  test('names a NaN that one alone has as the worst, whatever differs behind it', async () => {
    const candidate = join(DEMO, 'candidate_model')
    const file = changed(`${DEMO}/goldens/candidate_model.json`, ({ cases }) => {
      const { data } = cases[1].outputs?.embedding ?? { data: [] }
      data[3] = 'NaN'
      data[40] = Number(data[40]) + 0.001
    })
    const { stdout } = await run(['verify', candidate, file])
    expect(stdout).toMatch(/^serving_default\/embedding: worst at .* case 1, value 3: expected NaN, got -?[\d.e-]+$/m)
    const report = await run(['verify', candidate, file, '--json'])
    expect(parseJson(report.stdout)).toMatchObject({
      outputs: [{ wrong: 2, maxAbsolute: Number.POSITIVE_INFINITY, worst: { index: 3, expected: Number.NaN } }],
    })
  })

  test('fails where an integer past 2^53 differs in its last digit', async () => {
    const file = changed(goldenFile('int64_exact'), ({ cases }) => {
      const data = cases[2].outputs?.add.data ?? []
      expect(data[0]).toBe('9007199254740993')
      data[0] = '9007199254740992'
    })
    const { status, stdout } = await run(['verify', model('int64_exact'), file])
    expect(stdout).toMatch(/case 2, value 0: expected "?9007199254740992"?, got "9007199254740993"/)
    expect(status).toBe(1)
  })

  test('fails where a byte of a string differs', async () => {
    const file = changed(goldenFile('invalid_utf8'), ({ cases }) => {
      const { same } = cases[1].outputs ?? {}
      same.data[0] = 'cafe'
    })
    const { status, stdout } = await run(['verify', model('invalid_utf8'), file])
    expect(stdout).toMatch(/^serving_default\/same: worst at .* case 1, value 0: expected "cafe"/m)
    expect(status).toBe(1)
  })

  test('fails where the recording refuses what the model answers, the other way round, and where an output is missing', async () => {
    const file = changed(goldenFile('asserts'), ({ cases }) => {
      const answered = cases.find(({ outputs }) => outputs !== undefined)
      const refused = cases.find(({ error }) => error !== undefined)
      if (answered === undefined || refused === undefined) throw new Error('the golden has no such cases')
      refused.outputs = answered.outputs as NonNullable<typeof answered.outputs>
      cases.push({ ...answered, outputs: { z: { data: [1] } } })
      answered.error = 'InvalidArgumentError'
      delete answered.outputs
    })
    const { status, stdout } = await run(['verify', model('asserts'), file])
    expect(status).toBe(1)
    expect(stdout).toContain('case 0: refused in the recording, answered here\n')
    expect(stdout).toMatch(/case 3: .*10 is not in \[0, 10\)/)
    expect(stdout).toContain('there is no output "z"\n')
    expect(stdout).toMatch(/\nNOT equal\n$/)
  })

  test('takes predict requests with their responses, one a line', async () => {
    const cases = recorded(goldenFile('tower_signatures')).filter(({ signature }) => signature === 'query')
    const file = join(folder, 'exchanges.jsonl')
    const exchanges = cases.map((item) => ({
      signature_name: 'query',
      instances: instances(item),
      predictions: rows(item.outputs.embedding) as number[][],
    }))
    writeFileSync(file, jsonl(...exchanges))
    const { status, stdout } = await run(['verify', model('tower_signatures'), file])
    expect(stdout).toContain(`${cases.length} cases against the recording`)
    expect(status).toBe(0)
    exchanges[1].predictions[0][3] += 0.5
    writeFileSync(file, jsonl(...exchanges))
    expect(await run(['verify', model('tower_signatures'), file])).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/worst at .*exchanges\.jsonl:2, value 3: /),
    })
  })

  test('finds nothing equal where nothing is recorded', async () => {
    const file = join(folder, 'empty.json')
    for (const text of ['{"cases": []}', '', '\n']) {
      writeFileSync(file, text)
      const { status, stdout, stderr } = await run(['verify', model('asserts'), file])
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
      expect(stderr).toBe(`twotower: nothing to compare: there is no recorded case in ${file}\n`)
    }
  })

  test('finds nothing equal of a recording that it cannot read, and says where', async () => {
    const file = join(folder, 'unread.json')
    const golden = (...cases: object[]) => JSON.stringify({ cases })
    const x = (shape: readonly number[], data: readonly unknown[], dtype: unknown = 'int64') => ({
      x: { dtype, shape, data },
    })
    for (const [text, told] of [
      [
        golden({ inputs: x([1e9, 1e9], []) }),
        / case 0, input "x": the shape \[1000000000,1000000000\] asks for 1000000000000000000 elements, data has 0\n$/,
      ],
      [golden({ inputs: x([1], ['one']) }), / case 0, input "x" is int64, got "one"\n$/],
      [golden({ inputs: x([1], [1], 5) }), / case 0, input "x" must be {"dtype", "shape", "data"}, the data flat\n$/],
      [golden({ inputs: {}, outputs: [] }), / case 0: "outputs" must be an object of tensors by name\n$/],
      // What was passed over once, so that nothing was compared and all was equal.
      [
        golden({ inputs: {}, outputs: { z: [1, 2] } }),
        / case 0, output "z" must have a flat list of its values as "data"\n$/,
      ],
      ['\n{', /unread\.json:2: JSON: expected a name in quotes at position 1, got the end\n$/],
      ['{"inputs": {}}', /unread\.json:1: a line must hold a request and its "predictions" or "outputs"\n$/],
    ] as const) {
      writeFileSync(file, text)
      const { status, stdout, stderr } = await run(['verify', model('asserts'), file])
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
      expect(stderr).toMatch(told)
    }
    expect((await run(['verify', model('asserts'), folder])).stderr).toBe(
      `twotower: "${folder}" is a folder, not a file\n`,
    )
  })

  test('finds nothing equal of an answer that does not name its outputs where there are several', async () => {
    const file = join(folder, 'unnamed.jsonl')
    const request = { signature_name: 'serving_default', inputs: { a: [1], b: [1] } }
    for (const answer of [{ predictions: [1] }, { outputs: [1] }, { predictions: [{}] }]) {
      writeFileSync(file, jsonl({ ...request, ...answer }))
      const { status, stderr } = await run(['verify', model('int64_exact'), file])
      expect(stderr).toMatch(
        /unnamed\.jsonl:1: the answer must have the outputs of signature "serving_default" by name: /,
      )
      expect(status).toBe(1)
    }
  })

  test('reads a golden that begins with a byte order mark', async () => {
    const file = join(folder, 'marked.json')
    writeFileSync(file, `\ufeff${readFileSync(goldenFile('asserts'), 'utf8')}`)
    expect((await run(['verify', model('asserts'), file])).stdout).toMatch(/\nequal\n$/)
  })

  test('reads and compares complex numbers as their parts, one beside the other', async () => {
    const file = (wrong: number) =>
      changed(goldenFile('complex_scores'), ({ cases }) => {
        const [{ outputs }] = cases.filter(({ signature }) => signature === 'conjugate')
        const { data } = outputs?.conjugated ?? { data: [] }
        data[1] = Number(data[1]) + wrong
      })
    expect((await run(['verify', model('complex_scores'), file(1e-6)])).stdout).toMatch(/\nequal\n$/)
    const { status, stdout } = await run(['verify', model('complex_scores'), file(0.5)])
    expect(stdout).toMatch(/conjugate\/conjugated\n +8 +1 /)
    expect(status).toBe(1)
  })

  test('holds the model against the same graph on tfjs-wasm', async () => {
    const { status, stdout } = await run([
      'verify',
      model('vertex_pair/query_model'),
      goldenFile('vertex_pair.query_model'),
      '--backend',
      'tfjs',
      // As tfjs does it, each product rounded: with an age of 1,000,000 a sum of products that are not is 5e-5 away.
      '--deterministic',
    ])
    expect(stdout).toMatch(/^\d+ cases against tfjs-wasm, 2 refused by both, tolerance 0.00001\n/)
    expect(stdout).toMatch(/\nequal\n$/)
    expect(status).toBe(0)
  })

  test('refuses another backend and a tolerance that is none', async () => {
    for (const options of [
      ['--backend', 'onnx'],
      ['--tolerance', 'small'],
      ['--tolerance', '-1'],
      ['--tolerance', ''],
      ['--cosine', ''],
    ])
      expect((await run(['verify', model('asserts'), goldenFile('asserts'), ...options])).status).toBe(2)
  })
})
