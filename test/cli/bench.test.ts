import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { convertDemo, DEMO, demoRows, jsonl, model, run, scratch, twotower } from './command.ts'

const folder = scratch()
const BUNDLE = join(folder, 'demo')
const QUERY = join(DEMO, 'query_model')
const VIEWERS = join(DEMO, 'viewers.jsonl')
const SHORT = ['--batches', '1,3', '--seconds', '0.05']

interface Entry {
  readonly engine: string
  readonly measured: string
  readonly median: number
  readonly low: number
  readonly high: number
  readonly rounds: number
  readonly calls: number
  readonly rowsPerSecond: number
  readonly difference: number
  readonly agrees: boolean
}

interface Report {
  readonly beside: Readonly<Record<string, string>>
  readonly without: readonly { readonly engine: string; readonly why: string }[]
  readonly parts: readonly {
    readonly part: string
    readonly rows: { readonly count: number; readonly made: boolean }
    readonly layers: { readonly count: number } | string
    readonly absent: readonly object[]
    readonly batches: readonly { readonly rows: number; readonly entries: readonly Entry[] }[]
    readonly profiles: readonly {
      readonly microseconds: number
      readonly outside: { readonly microseconds: number }
      readonly ops: readonly { readonly name: string; readonly calls: number; readonly microseconds: number }[]
      readonly features: readonly { readonly name: string | null }[]
    }[]
  }[]
}

const report = async (...args: readonly string[]): Promise<Report> =>
  JSON.parse(await twotower(['bench', ...args, ...SHORT, '--json'])) as Report

describe('bench', () => {
  beforeAll(() => convertDemo(BUNDLE))

  test('measures both towers by batch, whole and layers alone, beside what is installed', async () => {
    const { parts, beside, without } = await report(BUNDLE)
    expect(beside['tfjs-wasm']).toMatch(/^4\./)
    expect([...Object.keys(beside), ...without.map(({ engine }) => engine)].sort()).toEqual([
      'onnxruntime-node',
      'onnxruntime-web',
      'tfjs-wasm',
    ])
    expect(parts.map(({ part }) => part)).toEqual(['query tower', 'candidate tower'])
    for (const { layers, rows, batches } of parts) {
      expect(layers).toMatchObject({ count: 3 })
      expect(rows).toEqual({ count: 1024, made: true })
      expect(batches.map((batch) => batch.rows)).toEqual([1, 3])
      for (const { rows, entries } of batches) {
        const who = entries.map(({ engine, measured }) => `${measured} ${engine}`)
        expect(who).toEqual(
          expect.arrayContaining(['request twotower', 'request tfjs-wasm', 'layers twotower', 'layers tfjs-wasm']),
        )
        for (const { median, low, high, rounds, calls, rowsPerSecond, difference, agrees } of entries) {
          expect(low).toBeGreaterThan(0)
          expect(median).toBeGreaterThanOrEqual(low)
          expect(high).toBeGreaterThanOrEqual(median)
          expect(rounds).toBeGreaterThanOrEqual(5)
          expect(calls).toBeGreaterThanOrEqual(1)
          expect(rowsPerSecond).toBeCloseTo((rows / median) * 1e6, 6)
          expect(difference).toBeLessThan(1e-5)
          expect(agrees).toBe(true)
        }
      }
    }
  })

  test('says what is measured, beside what, and that the answers agree', async () => {
    const { status, stdout } = await run(['bench', QUERY, '--rows', VIEWERS, ...SHORT])
    expect(status).toBe(0)
    expect(stdout).toMatch(/on node \d+\S+, (baseline|relaxed) SIMD, one thread\n {2}beside tfjs-wasm 4\.\d/)
    expect(stdout).toMatch(/\nquery tower, 8 rows given\n/)
    expect(stdout).toMatch(/\nrows +engine +µs a call +quartiles +rows\/s +time\n/)
    expect(stdout).toMatch(/\n {3}3 layers +twotower +[\d.,]+ +[\d.,]+ – [\d.,]+ +[\d.,]+ +× 1\n/)
    expect(stdout).toMatch(/\nall answers agree: they differ by \de-\d+ at most\n$/)
  })

  test('says what is not installed, and how to install it', async () => {
    const { without } = await report(QUERY, '--batches', '1')
    const root = fileURLToPath(new URL('../../node_modules/', import.meta.url))
    for (const name of ['onnxruntime-node', 'onnxruntime-web'])
      if (!existsSync(join(root, name))) expect(without).toContainEqual({ engine: name, why: `npm install ${name}` })
  })

  test('measures a signature', async () => {
    const { parts } = await report(model('bare_towers'), '--signature', 'query')
    expect(parts.map(({ part }) => part)).toEqual(['signature "query"'])
  })

  test('tells by op and by feature where the time goes', async () => {
    const { parts } = await report(QUERY, '--profile')
    const [{ profiles }] = parts
    expect(profiles).toHaveLength(2)
    for (const { microseconds, outside, ops, features } of profiles) {
      const sum = ops.reduce((total, op) => total + op.microseconds, outside.microseconds)
      expect(sum / microseconds).toBeCloseTo(1, 6)
      // As many as there are layers, vocabularies of one value, and texts.
      expect(ops.find(({ name }) => name === 'twotower>Dense')?.calls).toBe(3)
      expect(ops.find(({ name }) => name === 'LookupTableFindV2')?.calls).toBe(3)
      expect(ops.find(({ name }) => name === 'twotower>WordIds')?.calls).toBe(1)
      expect(features.map(({ name }) => name)).toEqual(expect.arrayContaining(['recent_titles', 'viewer_id', null]))
    }
    const { stdout } = await run(['bench', QUERY, ...SHORT, '--profile'])
    expect(stdout).toMatch(/\nwhere the time of 1 row goes: [\d.,]+ µs while watched\n/)
    expect(stdout).toMatch(/\n {2}recent_titles +[\d.]+ +[\d.,]+ +[\d.]+ %\n/)
  })

  test('draws latency by batch', async () => {
    const file = join(folder, 'latency.svg')
    await report(BUNDLE, '--svg', file)
    const svg = readFileSync(file, 'utf8')
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/)
    for (const text of ['query tower', 'candidate tower', 'twotower', 'tfjs-wasm', 'µs a call'])
      expect(svg).toContain(text)
    expect(svg.match(/NaN|undefined/)).toBeNull()
  })

  test('takes the rows that a tower fits, and makes those of the other', async () => {
    const { parts } = await report(BUNDLE, '--rows', VIEWERS)
    expect(parts.map(({ rows }) => rows)).toEqual([
      { count: 8, made: false },
      { count: 1024, made: true },
    ])
    const both = await report(BUNDLE, '--rows', VIEWERS, '--rows', join(DEMO, 'films.jsonl'))
    expect(both.parts.map(({ rows }) => rows.made)).toEqual([false, false])
  })

  test('measures int8 layers in whole requests, and says that they are not measured alone', async () => {
    const bytes = join(folder, 'bytes')
    await twotower(['convert', QUERY, '--dtype', 'int8', '-o', bytes])
    const [{ layers, batches, absent }] = (await report(bytes, '--rows', VIEWERS)).parts
    expect(layers).toMatch(/^its layers are in bytes: "/)
    for (const { entries } of batches)
      expect(entries.map(({ engine, measured }) => `${measured} ${engine}`)).toEqual(['request twotower'])
    // Its floats would be a few, and the layers our plain ones.
    expect(absent).toEqual([{ engine: 'tfjs-wasm', measured: 'request', why: 'it has no layers in bytes' }])
  })

  test('says what is wrong with rows, batches, towers and times', async () => {
    const odd = join(folder, 'odd.jsonl')
    writeFileSync(odd, jsonl(demoRows('viewers.jsonl')[0], '{'))
    const films = join(DEMO, 'films.jsonl')
    const wrong: readonly (readonly [readonly string[], number, RegExp])[] = [
      [['--batches', '1,x'], 2, /--batches wants a positive integer, got "x"/],
      [['--seconds', '0'], 2, /--seconds wants a number above 0, got "0"/],
      [['--tower', 'user'], 2, /--tower must be query or candidate, got "user"/],
      [['--tower', 'query', '--signature', 'x'], 2, /name a --tower or a --signature, not both/],
      [['--signature', 'x'], 1, /has no signature "x"; it has "serving_default"/],
      [['--tower', 'candidate'], 1, /has no candidate tower/],
      [['--rows', odd], 1, /odd\.jsonl:2: /],
      [
        ['--rows', films],
        1,
        /no row of .*films\.jsonl has all the features that are wanted, by the query tower: birth_year, /,
      ],
      [['--svg', folder], 1, /is a folder; choose a file/],
      [['--rows', '/no/rows'], 1, /there is no file "\/no\/rows"/],
    ]
    for (const [args, status, said] of wrong) {
      const finished = await run(['bench', QUERY, ...args])
      expect({ args, status: finished.status, stdout: finished.stdout }).toEqual({ args, status, stdout: '' })
      expect(finished.stderr).toMatch(said)
    }
  })

  test('says that made rows are not what a model takes, the first or a later one', async () => {
    for (const name of ['mutable_table', 'int64_exact']) {
      const { status, stderr } = await run(['bench', model(name), ...SHORT])
      expect(status).toBe(1)
      expect(stderr).toMatch(/the rows that were made from the signature are not what the model takes .*--rows/)
    }
  })
})
