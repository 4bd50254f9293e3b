import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import type { Json } from '../../src/json/parse.ts'
import { jsonText } from '../../src/json/text.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
/** The built command line. */
export const MAIN = join(root, 'dist/cli/main.js')
const KILLER = new URL('killed.mjs', import.meta.url).href
export const DEMO = join(root, 'weights/demo')

export const model = (name: string): string => join(root, 'test/fixtures/models', name)
export const goldenFile = (name: string): string => join(root, 'test/fixtures/goldens', `${name}.json`)

/** What a finished command left behind. */
export interface Finished {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `twotower args` with `stdin` on its standard input. */
export const run = (args: readonly string[], stdin: string | Uint8Array = ''): Promise<Finished> =>
  finished(process.execPath, [MAIN, ...args], stdin)

/** The same on a disk that is full: no file may grow past eight blocks of 512 bytes or of 1 KiB, as the shell counts them. */
export const runOnFullDisk = (args: readonly string[]): Promise<Finished> =>
  finished('sh', ['-c', 'ulimit -f 8; exec "$0" "$@"', process.execPath, MAIN, ...args], '')

function finished(command: string, args: readonly string[], stdin: string | Uint8Array): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args)
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    // A command that refuses its options leaves before it has read anything.
    child.stdin.on('error', () => {})
    child.stdin.end(stdin)
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, stdout, stderr }))
  })
}

/**
 * Runs `twotower args` and kills it before its `step`-th step, from 0 on, on files and folders whose paths begin with `path`.
 * @returns whether it made so many
 */
export function killedAt(step: number, path: string, args: readonly string[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', KILLER, MAIN, ...args], {
      env: { ...process.env, KILL_AT: `${step} ${path}` },
      stdio: 'ignore',
    })
    child.on('error', reject)
    child.on('close', (_, signal) => resolve(signal === 'SIGKILL'))
  })
}

/** What the command says in answer to what must succeed. @throws where it does not */
export async function twotower(args: readonly string[], stdin: string | Uint8Array = ''): Promise<string> {
  const { status, stdout, stderr } = await run(args, stdin)
  if (status !== 0) throw new Error(`twotower ${args.join(' ')} ended with ${status}: ${stderr}${stdout}`)
  return stdout
}

/** Converts the demo's pair of SavedModels to a bundle at `output`. */
export const convertDemo = (output: string): Promise<string> =>
  twotower(['convert', '--query', `${DEMO}/query_model`, '--candidate', `${DEMO}/candidate_model`, '-o', output])

/** The demo's films or viewers: a row of features a line. */
export const demoRows = (file: 'films.jsonl' | 'viewers.jsonl'): Record<string, unknown>[] =>
  readFileSync(join(DEMO, file), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

/** TensorFlow's ranking of all the demo's films for each viewer. */
export interface Ranking {
  readonly viewer: string
  readonly embedding: readonly number[]
  readonly top: readonly { readonly id: string; readonly score: number }[]
}

export const demoRanking = (): readonly Ranking[] =>
  (JSON.parse(readFileSync(join(DEMO, 'goldens/ranking.json'), 'utf8')) as { readonly viewers: readonly Ranking[] })
    .viewers

/** The output's lines without the last line's end. */
export const lines = ({ stdout }: Finished): string[] => stdout.split('\n').slice(0, -1)

/** Lines of JSON out of values, with NaN, infinities and 64-bit integers as TensorFlow Serving reads them; text as it is. */
export const jsonl = (...values: readonly unknown[]): string =>
  values.map((value) => `${typeof value === 'string' ? value : jsonText(value as Json)}\n`).join('')

/** A tensor as TensorFlow's goldens hold it. */
export interface Recorded {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly data: readonly (number | string | boolean | { readonly b64: string })[]
}

export interface RecordedCase {
  readonly signature: string
  readonly inputs: Readonly<Record<string, Recorded>>
  readonly outputs: Readonly<Record<string, Recorded>>
}

/** What TensorFlow answered: the cases of a golden that it did not refuse and that have a row. */
export function recorded(file: string): readonly RecordedCase[] {
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { readonly cases: readonly RecordedCase[] }
  return cases.filter(
    ({ inputs, outputs }) => outputs !== undefined && Object.values(inputs).every(({ shape }) => shape[0] !== 0),
  )
}

/** The rows of a recorded tensor: bare elements of a vector, lists of a matrix's. */
export function rows({ dtype, shape, data: written }: Recorded): readonly unknown[] {
  const data = written.map((value) => {
    // What JSON has no number for is recorded as text.
    if (dtype === 'string' || typeof value !== 'string') return value
    return dtype.includes('int') ? BigInt(value) : Number(value)
  })
  if (shape.length < 2) return data
  const width = shape[1]
  return Array.from({ length: shape[0] }, (_, i) => data.slice(i * width, (i + 1) * width))
}

/** A case's inputs row by row, each an object of features. */
export function instances({ inputs }: RecordedCase): Record<string, unknown>[] {
  const names = Object.keys(inputs)
  return Array.from({ length: inputs[names[0]].shape[0] }, (_, i) =>
    Object.fromEntries(names.map((name) => [name, rows(inputs[name])[i]])),
  )
}

/** A folder of the test file's own, removed when its tests are over; it is asked for beside them, not in one of them. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'twotower-cli-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** The largest difference between two lists of numbers; infinite where one is longer or holds no number. */
export function difference(got: readonly number[], wanted: readonly (number | string | boolean | object)[]): number {
  if (got.length !== wanted.length) return Number.POSITIVE_INFINITY
  return got.reduce((worst, value, i) => {
    const off = Object.is(value, Number(wanted[i])) ? 0 : Math.abs(value - Number(wanted[i]))
    return Number.isNaN(off) ? Number.POSITIVE_INFINITY : Math.max(worst, off)
  }, 0)
}
