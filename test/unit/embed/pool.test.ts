import { describe, expect, test } from 'vitest'
import type { Answer, Piece } from '../../../src/embed/piece.ts'
import { Pool, type Reply, type Thread } from '../../../src/embed/pool.ts'

const piece = (first: number): Piece => ({
  name: 'rows',
  first,
  format: 'jsonl',
  header: [],
  body: new Uint8Array(1),
})
const nothing = new Uint8Array(0)
const answer = (rows: number): Answer => ({
  rows,
  failed: 0,
  text: nothing,
  vectors: new Float32Array(0),
  ids: [],
  lookups: {},
  errors: nothing,
})

/** A thread that answers when it is told to. */
class HeldThread implements Thread {
  readonly pieces: Piece[] = []
  reply: (message: unknown) => void = () => {}
  fail: (error: Error) => void = () => {}
  post(message: unknown): void {
    this.pieces.push(message as Piece)
  }
  listen(answered: (message: unknown) => void, failed: (error: Error) => void): void {
    this.reply = answered
    this.fail = failed
  }
  async end(): Promise<void> {}
}

describe('a pool of threads', () => {
  test('gives a piece to the thread that has the fewest', async () => {
    const threads = [new HeldThread(), new HeldThread()]
    const pool = new Pool(threads)
    const answers = [1, 2, 3].map((first) => pool.answer(piece(first)))
    expect(threads.map(({ pieces }) => pieces.map(({ first }) => first))).toEqual([[1, 3], [2]])
    threads[1].reply({ answer: answer(2) } satisfies Reply)
    expect((await answers[1]).rows).toBe(2)
    pool.answer(piece(4))
    expect(threads[1].pieces.map(({ first }) => first)).toEqual([2, 4])
    threads[0].reply({ answer: answer(1) } satisfies Reply)
    threads[0].reply({ problem: 'out of memory' } satisfies Reply)
    expect((await answers[0]).rows).toBe(1)
    await expect(answers[2]).rejects.toThrow('out of memory')
  })

  test('fails what a thread had that ended, and whatever comes after', async () => {
    const threads = [new HeldThread(), new HeldThread()]
    const pool = new Pool(threads)
    const lost = pool.answer(piece(1))
    threads[0].fail(new Error('a worker ended'))
    await expect(lost).rejects.toThrow('a worker ended')
    await expect(pool.answer(piece(2))).rejects.toThrow('a worker ended')
  })
})
