import { performance } from 'node:perf_hooks'

/**
 * What is measured: `call` does the work once and returns numbers of its result, or a promise of them. `enter` is called
 * before the contender's turn, outside the time.
 * @typedef {{ name: string, call: () => ArrayLike<number> | Promise<ArrayLike<number>>, enter?: () => unknown }} Contender
 *
 * Microseconds a call: the median of the rounds, and their quartiles.
 * @typedef {{ median: number, low: number, high: number, rounds: number, calls: number }} Timing
 */

/** Milliseconds of warming up, at least and at most. */
const [LEAST_WARMING, MOST_WARMING] = [500, 3000]

/** Results end here, so that no engine may leave out a call whose result nobody reads. */
const sink = new Float64Array(1)

/**
 * Times the contenders in turns: in each round every one of them works for about `milliseconds`, and each round begins
 * with another one. So a core that is clocked down, or shared for a while, slows all of them alike, and the median of
 * the rounds leaves out what hit one alone.
 * @param {readonly Contender[]} contenders
 * @param {{ rounds: number, milliseconds: number }} effort
 * @returns {Promise<Record<string, Timing>>}
 */
export async function interleave(contenders, { rounds, milliseconds }) {
  const calls = new Map()
  for (const contender of contenders) calls.set(contender, await warmUp(contender, milliseconds))
  const times = new Map(contenders.map((contender) => [contender, []]))
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const contender = contenders[(round + turn) % contenders.length]
      times.get(contender).push(await timed(contender, calls.get(contender)))
    }
  }
  return Object.fromEntries(
    contenders.map((contender) => [contender.name, { ...spread(times.get(contender)), calls: calls.get(contender) }]),
  )
}

/** How many turns of warming up are looked at together. */
const WINDOW = 5

/**
 * Runs the contender until it gets no faster, and returns how many calls a turn takes: engines compile what is hot in
 * the background, and a peer of much JavaScript needs a second until it is as fast as it will be.
 */
async function warmUp(contender, milliseconds) {
  const turns = []
  let calls = 1
  for (let spent = 0; spent < MOST_WARMING; ) {
    const each = await timed(contender, calls)
    spent += (each * calls) / 1000
    // The first calls compile: a count made of them alone would be too small.
    if (each * calls < 500 * milliseconds) calls = Math.min(10 * calls, Math.ceil((1000 * milliseconds) / each))
    else turns.push(each)
    const before = Math.min(...turns.slice(0, -WINDOW))
    const enough = turns.length > WINDOW && spent > LEAST_WARMING
    if (enough && Math.min(...turns.slice(-WINDOW)) > 0.97 * before) break
  }
  return Math.max(1, Math.round((1000 * milliseconds) / Math.min(...turns.slice(-WINDOW))))
}

/** Microseconds a call, of `calls` calls. */
async function timed({ call, enter }, calls) {
  await enter?.()
  const start = performance.now()
  for (let i = 0; i < calls; i++) {
    const result = call()
    // A promise is awaited; what answers at once must not pay for a turn of the event loop.
    const values = result instanceof Promise ? await result : result
    sink[0] += values[0] + values[values.length - 1]
  }
  return ((performance.now() - start) * 1000) / calls
}

/** The median of `times` and their quartiles. */
export function spread(times) {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (part) => {
    const place = part * (sorted.length - 1)
    const below = Math.floor(place)
    return sorted[below] + (place - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below])
  }
  return { median: at(0.5), low: at(0.25), high: at(0.75), rounds: sorted.length }
}
