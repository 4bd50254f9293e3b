/**
 * What is measured: `call` does the work once and returns what it computed, or a promise of it; an array per output.
 */
export interface Contender {
  readonly name: string
  readonly call: () => Answer | Promise<Answer>
}

/** The elements of each output. */
export type Answer = readonly ArrayLike<unknown>[]

/** Microseconds a call: the median of the rounds and their quartiles. */
export interface Timing {
  readonly median: number
  readonly low: number
  readonly high: number
  readonly rounds: number
  /** In each round. */
  readonly calls: number
}

/** What may be spent on all contenders together. */
export interface Effort {
  readonly seconds: number
}

/** Rounds at least, where a call takes long, and at most. */
const [LEAST_ROUNDS, MOST_ROUNDS] = [5, 31]
/** The part of the time that goes into warming up: engines compile what is hot in the background. */
const WARMING = 0.3
/** Turns of warming up that are looked at together. */
const WINDOW = 5

/** Results end here, so that no engine may leave out a call whose result nobody reads. */
const sink: unknown[] = [undefined]

/**
 * Times the contenders in turns: in each round every one works for about as long, and each round begins with another one.
 * So a core that is clocked down, or shared for a while, slows all of them alike, and the median of the rounds leaves out
 * what hit one alone.
 * @param now milliseconds that go by
 */
export async function interleave(
  contenders: readonly Contender[],
  { seconds }: Effort,
  now: () => number = () => performance.now(),
): Promise<Map<string, Timing>> {
  const budget = (1000 * seconds) / contenders.length
  const turn = ((1 - WARMING) * budget) / MOST_ROUNDS
  const calls: number[] = []
  for (const contender of contenders) calls.push(await warmUp(contender, WARMING * budget, turn, now))
  const times = contenders.map((): number[] => [])
  const end = now() + (1 - WARMING) * budget * contenders.length
  for (let round = 0; round < MOST_ROUNDS && (round < LEAST_ROUNDS || now() < end); round++) {
    for (let i = 0; i < contenders.length; i++) {
      const place = (round + i) % contenders.length
      times[place].push(await timed(contenders[place], calls[place], now))
    }
  }
  return new Map(contenders.map(({ name }, i) => [name, { ...spread(times[i]), calls: calls[i] }]))
}

/** Runs the contender until it gets no faster or the time is up, and returns how many calls a turn takes. */
async function warmUp(contender: Contender, most: number, turn: number, now: () => number): Promise<number> {
  const turns: number[] = []
  let calls = 1
  for (const end = now() + most; ; ) {
    const each = await timed(contender, calls, now)
    turns.push(each)
    // The first calls compile: a count made of them alone would be too small.
    if (each * calls < 500 * turn) calls = Math.min(10 * calls, Math.ceil((1000 * turn) / each))
    const before = Math.min(...turns.slice(0, -WINDOW))
    const settled = turns.length > 2 * WINDOW && Math.min(...turns.slice(-WINDOW)) > 0.97 * before
    if (settled || now() >= end) break
  }
  return Math.max(1, Math.round((1000 * turn) / Math.min(...turns.slice(-WINDOW))))
}

/** Microseconds a call, of `calls` calls. */
async function timed({ call }: Contender, calls: number, now: () => number): Promise<number> {
  const start = now()
  for (let i = 0; i < calls; i++) {
    const result = call()
    // A promise is awaited; what answers at once must not pay for a turn of the event loop.
    const [first] = result instanceof Promise ? await result : result
    sink[0] = first[first.length - 1]
  }
  // A clock may not tell two moments apart.
  return Math.max(((now() - start) * 1000) / calls, 1e-3)
}

/** The median of `times`, of at least one, and their quartiles: linear between the two nearest. */
export function spread(times: readonly number[]): Omit<Timing, 'calls'> {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (part: number): number => {
    const place = part * (sorted.length - 1)
    const below = Math.floor(place)
    return sorted[below] + (place - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below])
  }
  return { median: at(0.5), low: at(0.25), high: at(0.75), rounds: sorted.length }
}
