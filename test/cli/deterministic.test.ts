import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { convertDemo, DEMO, demoRows, jsonl, MAIN, scratch } from './command.ts'

const folder = scratch()
const BUNDLE = join(folder, 'demo')
/** What Node 20 has relaxed SIMD behind, and the command sets for itself on x64; later it is there without. */
const RELAXED = '--experimental-wasm-relaxed-simd'
const [viewers, films] = [demoRows('viewers.jsonl').slice(0, 3), demoRows('films.jsonl').slice(0, 3)]

const answer = (args: readonly string[], stdin: string, ...flags: readonly string[]): string => {
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, MAIN, ...args], { input: stdin, encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(stdout).not.toContain('error')
  return stdout
}

describe.skipIf(Number.parseInt(process.versions.node, 10) >= 22)('--deterministic', () => {
  beforeAll(() => convertDemo(BUNDLE))

  for (const [args, stdin] of [
    [
      ['run', join(DEMO, 'query_model')],
      jsonl({ instances: viewers.map(({ id, description, ...features }) => features) }),
    ],
    [['embed', BUNDLE, '--tower', 'query'], jsonl(...viewers)],
    [['embed', BUNDLE, '--tower', 'query', '--workers', '2'], jsonl(...viewers)],
    [['score', BUNDLE, '--similarity', 'dot'], jsonl({ query: viewers[0], candidates: films })],
    [['search', BUNDLE, '--similarity', 'dot', '--items', join(DEMO, 'films.jsonl')], jsonl(...viewers)],
  ] as const) {
    const threads = args.at(-2) === '--workers' ? ' by threads' : ''
    test(`lets ${args[0]}${threads} answer the same bits with relaxed SIMD and without`, () => {
      const baseline = answer([...args, '--deterministic'], stdin)
      expect(answer([...args, '--deterministic'], stdin, RELAXED)).toBe(baseline)
      const relaxed = answer(args, stdin, RELAXED)
      // Else there would be nothing to tell apart.
      expect(relaxed).not.toBe(baseline)
      if (process.arch === 'x64') expect(answer(args, stdin)).toBe(relaxed)
    })
  }
})
