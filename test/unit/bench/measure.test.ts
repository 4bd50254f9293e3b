import { describe, expect, test } from 'vitest'
import { type Contender, interleave, spread } from '../../../src/bench/measure.ts'

/** Contenders that take as long as they are told, by a clock that only they move. */
function staged(milliseconds: Readonly<Record<string, (call: number) => number>>) {
  let at = 0
  const order: string[] = []
  const contenders = Object.entries(milliseconds).map(([name, takes]): Contender => {
    let calls = 0
    return {
      name,
      call() {
        at += takes(calls++)
        if (order[order.length - 1] !== name) order.push(name)
        return [[0]]
      },
    }
  })
  return { contenders, order, now: () => at }
}

describe('measuring in turns', () => {
  test('gives microseconds a call: the median and the quartiles of the rounds', async () => {
    const { contenders, now } = staged({ quick: () => 0.1, slow: () => 2 })
    const timings = await interleave(contenders, { seconds: 1 }, now)
    expect(timings.get('quick')?.median).toBeCloseTo(100, 6)
    expect(timings.get('slow')?.median).toBeCloseTo(2000, 6)
    expect(timings.get('slow')?.rounds).toBe(31)
  })

  test('gives each contender about as much time, and lets each round begin with another', async () => {
    const { contenders, order, now } = staged({ a: () => 0.1, b: () => 1, c: () => 0.5 })
    const timings = await interleave(contenders, { seconds: 1 }, now)
    const [a, b] = ['a', 'b'].map((name) => timings.get(name)?.calls ?? 0)
    expect(a / b).toBeCloseTo(10, -0.5)
    // Warming up a, b, c; then a b c, b c a, c a b: whoever ends a round does not begin the next.
    expect(order.slice(0, 12).join('')).toBe('abcabcbcacab')
  })

  test('leaves out what hits a few calls', async () => {
    const { contenders, now } = staged({ hiccups: (call) => (call % 40 === 0 ? 50 : 10) })
    expect((await interleave(contenders, { seconds: 2 }, now)).get('hiccups')?.median).toBeCloseTo(10_000, 3)
  })

  test('warms up: calls that compile are not measured', async () => {
    const { contenders, now } = staged({ cold: (call) => (call < 20 ? 5 : 0.5) })
    const timing = (await interleave(contenders, { seconds: 1 }, now)).get('cold')
    expect(timing?.high).toBeCloseTo(500, 6)
  })

  test('makes five rounds at least, however long a call takes, and then keeps to its time', async () => {
    const { contenders, now } = staged({ long: () => 300 })
    expect((await interleave(contenders, { seconds: 0.1 }, now)).get('long')).toMatchObject({ rounds: 5, calls: 1 })
    const more = staged({ long: () => 300 })
    expect((await interleave(more.contenders, { seconds: 5 }, more.now)).get('long')?.rounds).toBeLessThan(15)
  })

  test('awaits promises', async () => {
    let at = 0
    const call = async () => {
      await Promise.resolve()
      at += 3
      return [[1]]
    }
    const timings = await interleave([{ name: 'promising', call }], { seconds: 0.5 }, () => at)
    expect(timings.get('promising')?.median).toBeCloseTo(3000, 6)
  })
})

describe('the spread of times', () => {
  test('is the median and the quartiles, between the two nearest where they lie between', () => {
    expect(spread([5, 1, 4, 2, 3])).toEqual({ median: 3, low: 2, high: 4, rounds: 5 })
    expect(spread([1, 2, 3, 4])).toEqual({ median: 2.5, low: 1.75, high: 3.25, rounds: 4 })
    expect(spread([7])).toEqual({ median: 7, low: 7, high: 7, rounds: 1 })
  })
})
