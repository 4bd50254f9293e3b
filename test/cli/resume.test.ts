import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { DEMO, demoRows, jsonl, killedAt, run, runOnFullDisk, scratch } from './command.ts'

const CANDIDATE = join(DEMO, 'candidate_model')
const folder = scratch()
/** Pieces of few rows, so that there are many; of other batches the last bits may be others. */
const EMBED = ['embed', CANDIDATE, '--batch', '100']
/** Of the tower's width. */
const given = (id: number) => ({ id, embedding: [id, ...new Array<number>(63).fill(0)] })
const [first, second] = [join(folder, 'first.jsonl'), join(folder, 'second.jsonl')]
let whole: Buffer

beforeAll(async () => {
  const films = demoRows('films.jsonl')
  writeFileSync(first, jsonl(...films.slice(0, 900), '{"id": "bad"}'))
  writeFileSync(second, jsonl(...films.slice(900)).slice(0, -1))
  const output = join(folder, 'whole.jsonl')
  expect((await run([...EMBED, first, second, '-o', output])).status).toBe(1)
  whole = readFileSync(output)
})

/** Runs until the journal has checkpoints more, and is killed then. */
async function killed(args: readonly string[], output: string): Promise<void> {
  const journal = `${output}.journal`
  const lines = () => (existsSync(journal) ? readFileSync(journal, 'utf8').split('\n').length - 1 : 0)
  const before = Math.max(1, lines())
  // Its lock is taken, it is opened and cut, and a new one begun with a line, before the first checkpoint is synced.
  expect(await killedAt(9, journal, [...args, '--workers', '1'])).toBe(true)
  expect(lines()).toBeGreaterThan(before)
}

describe.concurrent('embed --resume', () => {
  test('loses no row and writes none twice where it was killed, again and again', async () => {
    const output = join(folder, 'resumed.jsonl')
    const args = [...EMBED, first, second, '-o', output, '--resume']
    for (const _ of [1, 2]) {
      await killed(args, output)
      // What a kill in the middle of a write leaves: a part of a line, here and there.
      appendFileSync(`${output}.part`, '{"id": "hal')
      appendFileSync(`${output}.journal`, '{"at": {"inp')
      expect(existsSync(output)).toBe(false)
    }
    // A mark in what is done already: it is kept, not done again.
    const part = readFileSync(`${output}.part`)
    const [origin, last] = readFileSync(`${output}.journal`, 'utf8').split('\n')
    part.write('MARK', 8)
    writeFileSync(`${output}.part`, part)
    expect((await run(args)).status).toBe(1)
    const [resumed, marked] = [readFileSync(output), readFileSync(output)]
    expect(resumed.toString('utf8', 0, 20)).toContain('MARK')
    resumed.set(whole.subarray(8, 12), 8)
    expect(resumed.equals(whole)).toBe(true)
    expect(readdirSync(folder).filter((name) => /resumed.+(part|journal)/.test(name))).toEqual([])

    // Killed at the very end, before the file has its name, or after that with the journal still there.
    const at = { input: 1, offset: statSync(second).size, first: 1, rows: 1 }
    const ended = { ...JSON.parse(last), at, shard: 1, sizes: [], done: true, failed: 1 }
    for (const left of [`${output}.part`, output]) {
      writeFileSync(`${output}.journal`, `${origin}\n${JSON.stringify(ended)}\n`)
      renameSync(output, left)
      expect((await run(args)).status).toBe(1)
      expect(readFileSync(output).equals(marked)).toBe(true)
      expect(existsSync(`${output}.journal`)).toBe(false)
    }
  })

  test('refuses to go on where inputs, model or options are others, and says which', async () => {
    const [input, output] = [join(folder, 'input.jsonl'), join(folder, 'refused.jsonl')]
    copyFileSync(second, input)
    const args = [...EMBED, input, '-o', output, '--resume']
    await killed(args, output)
    const [part, journal] = [readFileSync(`${output}.part`), readFileSync(`${output}.journal`)]
    const refused = async (other: readonly string[], what: string) => {
      const { status, stderr } = await run(other)
      expect({ status, stderr }).toEqual({
        status: 1,
        stderr: `twotower: cannot resume: since "${output}.journal" was begun there is another ${what}; put it back, or start over without it: remove it\n`,
      })
    }
    await refused([...args, '--deterministic'], 'deterministic')
    await refused(['embed', join(DEMO, 'query_model'), ...args.slice(2)], 'model, tower')
    appendFileSync(input, '\n{"id": "one more"}')
    await refused(args, 'inputs')
    expect(readFileSync(`${output}.part`).equals(part)).toBe(true)
    expect(readFileSync(`${output}.journal`).equals(journal)).toBe(true)
  })

  test('refuses a part that lost bytes', async () => {
    const output = join(folder, 'short.jsonl')
    const args = [...EMBED, second, '-o', output, '--resume']
    await killed(args, output)
    truncateSync(`${output}.part`, 10)
    const { status, stderr } = await run(args)
    expect(status).toBe(1)
    expect(stderr).toMatch(/short\.jsonl\.part" has 10 bytes, \d+ were written: it cannot be gone on with; remove it/)
    expect(existsSync(`${output}.journal.lock`)).toBe(false)
  })

  test('goes on once a disk that was full has room again; without it what was there before stays', async () => {
    const [input, output] = ['few.jsonl', 'room.jsonl'].map((name) => join(folder, name))
    const rows = Array.from({ length: 4000 }, (_, id) => given(id))
    writeFileSync(input, jsonl(...rows))
    writeFileSync(output, 'old\n')
    const args = ['embed', CANDIDATE, input, '-o', output]
    const said = (name: RegExp) => new RegExp(`^twotower: "\\S+${name.source}" cannot be written: (EFBIG|ENOSPC).*\n$`)
    const left = () => readdirSync(folder).filter((name) => name.startsWith('room'))
    expect(await runOnFullDisk(args)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(said(/room\.jsonl\.\d+\.unfinished/)),
    })
    expect(left()).toEqual(['room.jsonl'])
    expect(await runOnFullDisk([...args, '--resume'])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(said(/room\.jsonl\.part/)),
    })
    expect(left()).toEqual(['room.jsonl', 'room.jsonl.journal', 'room.jsonl.part'])
    expect(readFileSync(output, 'utf8')).toBe('old\n')
    expect(await run([...args, '--resume'])).toEqual({ status: 0, stdout: '', stderr: '' })
    expect(readFileSync(output, 'utf8')).toBe(jsonl(...rows))
    expect(left()).toEqual(['room.jsonl'])
  })

  test('starts anew where there is nothing to go on with', async () => {
    const [rows, output] = [join(folder, 'rows.jsonl'), join(folder, 'anew.jsonl')]
    writeFileSync(rows, jsonl(given(1)))
    for (const _ of [1, 2]) {
      expect(await run(['embed', CANDIDATE, rows, '-o', output, '--resume'])).toEqual({
        status: 0,
        stdout: '',
        stderr: '',
      })
      expect(readFileSync(output, 'utf8')).toBe(jsonl(given(1)))
    }
    writeFileSync(`${output}.journal`, 'a film\n')
    expect((await run(['embed', CANDIDATE, rows, '-o', output, '--resume'])).stderr).toMatch(/is no journal of embed/)
  })

  test('is not done twice at a time', async () => {
    const [rows, output] = [join(folder, 'once.in.jsonl'), join(folder, 'once.jsonl')]
    writeFileSync(rows, jsonl(given(1)))
    // As a run that goes on leaves it: this process runs.
    writeFileSync(`${output}.journal.lock`, String(process.pid))
    const args = ['embed', CANDIDATE, rows, '-o', output, '--resume']
    const { status, stderr } = await run(args)
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(/process \d+ is writing it: wait until it is done, or remove "\S+\.journal\.lock"/),
    })
    rmSync(`${output}.journal.lock`)
    expect((await run(args)).status).toBe(0)
    expect(readdirSync(folder).filter((name) => name.startsWith('once.jsonl'))).toEqual(['once.jsonl'])
  })

  test('asks for files that can be read and written from the middle', async () => {
    for (const [args, said] of [
      [['embed', CANDIDATE, first, '--resume'], /--resume needs -o with a file/],
      [['embed', CANDIDATE, '-o', join(folder, 'x'), '--resume'], /--resume needs files: standard input cannot/],
    ] as const) {
      const { status, stderr } = await run(args)
      expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(said) })
    }
  })
})
