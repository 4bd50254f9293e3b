import { describe, expect, test } from 'vitest'
import { inOrder } from '../../../src/embed/inorder.ts'

async function* count(to: number, after?: Error): AsyncGenerator<number> {
  for (let i = 0; i < to; i++) yield i
  if (after !== undefined) throw after
}

const later = <T>(value: T, milliseconds: number): Promise<T> =>
  new Promise((resolve) => setTimeout(() => resolve(value), milliseconds))

describe('work in order', () => {
  test('gives results in the order of the items, whichever is done first', async () => {
    const results = inOrder(
      count(20),
      (item) => later(item * item, (item * 7) % 5),
      () => 4,
    )
    const found: number[] = []
    for await (const result of results) found.push(result)
    expect(found).toEqual(Array.from({ length: 20 }, (_, i) => i * i))
  })

  test('never has more in work than the window, whose size may change', async () => {
    let [inWork, most, window] = [0, 0, 1]
    const work = async (item: number) => {
      most = Math.max(most, ++inWork)
      if (item === 10) window = 3
      await later(null, 1)
      return item
    }
    for await (const item of inOrder(count(30), work, () => window)) {
      // Until it is given out, a result counts: the reader may be slow.
      await later(null, 1)
      if (item < 9) expect(most).toBe(1)
      inWork--
    }
    expect(most).toBe(3)
  })

  test('gives a result as soon as it is known, not only when the next item comes', async () => {
    let release = () => {}
    const source = async function* () {
      yield 1
      await new Promise<void>((resolve) => {
        release = resolve
      })
      yield 2
    }
    const results = inOrder(
      source(),
      async (item) => item,
      () => 8,
    )
    expect((await results.next()).value).toBe(1)
    release()
    expect((await results.next()).value).toBe(2)
    expect((await results.next()).done).toBe(true)
  })

  test('gives out what was taken before the items fail, then fails likewise', async () => {
    const seen: number[] = []
    const results = inOrder(
      count(3, new Error('the disk is gone')),
      (item) => later(item, 5 - item),
      () => 10,
    )
    await expect(
      (async () => {
        for await (const item of results) seen.push(item)
      })(),
    ).rejects.toThrow('the disk is gone')
    expect(seen).toEqual([0, 1, 2])
  })

  test('fails where the work fails, at its place', async () => {
    const seen: number[] = []
    const results = inOrder(
      count(5),
      (item) => (item === 2 ? Promise.reject(new Error('item 2')) : Promise.resolve(item)),
      () => 5,
    )
    await expect(
      (async () => {
        for await (const item of results) seen.push(item)
      })(),
    ).rejects.toThrow('item 2')
    expect(seen).toEqual([0, 1])
  })

  test('closes its source where the reader stops early', async () => {
    let closed = false
    const source = async function* () {
      try {
        for (let i = 0; ; i++) yield i
      } finally {
        closed = true
      }
    }
    for await (const item of inOrder(
      source(),
      async (i) => i,
      () => 2,
    ))
      if (item === 3) break
    await later(null, 0)
    expect(closed).toBe(true)
  })
})
