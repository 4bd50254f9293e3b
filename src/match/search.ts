import { farmFingerprint64 } from '../ops/hash/farmhash.ts'
import { encode } from '../ops/text/bytes.ts'
import { leastSquares } from './fit.ts'
import type { Declarations, Plan } from './plan.ts'
import type { Subject } from './subject.ts'

/** One way of every dimension of every plan. */
export type Ways = readonly (readonly number[])[]

/** How near recordings are. */
interface Nearness {
  /** Recordings that are not reproduced, and the mean distance of all. */
  readonly wrong: number
  readonly distance: number
}

/** What some ways make of recordings. */
export interface Found extends Nearness {
  readonly ways: Ways
  readonly parameters: readonly number[]
  readonly declarations: Declarations
}

/** Steps of a fit: of one that only says how near some ways come, and of one that comes near. */
const [ROUGH, FINE] = [5, 40]
const NEAR = 0.05

/** Pipelines tried on recordings: what was tried is known, and counts once. */
export class Trials {
  /** How many times the model was asked. */
  count = 0
  /** Whether the limit was reached before it was raised. */
  ended = false
  readonly plans: readonly Plan[]
  private readonly subject: Subject
  private limit: number
  private readonly onTry: () => void
  private readonly byContent = new Map<string, Nearness>()

  constructor(subject: Subject, plans: readonly Plan[], limit: number, onTry: () => void) {
    this.subject = subject
    this.plans = plans
    this.limit = limit
    this.onTry = onTry
  }

  /** Lets the model be asked more often. */
  allow(more: number): void {
    this.ended = this.exhausted
    this.limit += more
  }

  get exhausted(): boolean {
    return this.count >= this.limit
  }

  /** The declarations of some ways; null where they do not go together. */
  declare(ways: Ways, parameters: readonly number[], digits?: number): Declarations | null {
    const all: Declarations[] = []
    let at = 0
    for (const [i, plan] of this.plans.entries()) {
      const count = plan.parameters(ways[i]).length
      const declared = plan.declare(ways[i], parameters.slice(at, at + count), digits)
      if (declared === null) return null
      all.push(declared)
      at += count
    }
    return Object.assign({}, ...all)
  }

  /**
   * Tries some ways on the recordings at `rows`; null where they do not go together.
   * @param near what they differ from in little: its fitted numbers are a better start
   */
  try(ways: Ways, rows: readonly number[], near?: Found): Found | null {
    const start = this.parameters(ways, near)
    if (start.length === 0) return this.at(ways, [], rows)
    // A fit asks often: where the same numbers are fitted, what is no better with those that were is left so.
    const before = near?.parameters.length === start.length ? this.at(ways, start, rows) : null
    return near !== undefined && before !== null && before.wrong > 0 && !isBefore(before, near)
      ? before
      : this.fitted(ways, start, rows)
  }

  /** The inputs that some ways make before anything is fitted, as `contentOf`; null where they do not go together. */
  startOf(ways: Ways, rows: readonly number[], near?: Found): string | null {
    const declarations = this.declare(ways, this.parameters(ways, near))
    return declarations === null ? null : this.contentOf(declarations, rows)
  }

  private parameters(ways: Ways, near?: Found): number[] {
    return this.plans.flatMap((plan, i) => {
      const own = plan.parameters(ways[i])
      return near === undefined || own.length === 0 ? own : (this.fittedOf(near, i) ?? own)
    })
  }

  /** The numbers of `found` that belong to its plan `index`; null where it has none. */
  private fittedOf({ ways, parameters }: Found, index: number): readonly number[] | null {
    const counts = this.plans.map((plan, i) => plan.parameters(ways[i]).length)
    const from = counts.slice(0, index).reduce((sum, count) => sum + count, 0)
    return counts[index] === 0 ? null : parameters.slice(from, from + counts[index])
  }

  /** Tries ways with numbers that were fitted before, written with so many digits. */
  at(ways: Ways, parameters: readonly number[], rows: readonly number[], digits?: number): Found | null {
    const declarations = this.declare(ways, parameters, digits)
    if (declarations === null) return null
    return { ways, parameters, declarations, ...this.nearness(declarations, rows) }
  }

  /** Text that is the same where two declarations make the same inputs. */
  contentOf(declarations: Declarations, rows: readonly number[]): string {
    return `${rows.length} ${farmFingerprint64(encode(this.subject.content(declarations, rows)))}`
  }

  private nearness(declarations: Declarations, rows: readonly number[]): Nearness {
    const content = this.contentOf(declarations, rows)
    const known = this.byContent.get(content)
    if (known !== undefined) return known
    this.count++
    this.onTry()
    const { outcomes } = this.subject.judge(declarations, rows)
    const nearness = {
      wrong: outcomes.filter(({ reproduced }) => !reproduced).length,
      distance: outcomes.reduce((sum, { distance }) => sum + Math.min(distance, 10), 0) / outcomes.length,
    }
    this.byContent.set(content, nearness)
    return nearness
  }

  /** The numbers that are left open by `ways`, fitted to the recordings. */
  private fitted(ways: Ways, start: readonly number[], rows: readonly number[]): Found | null {
    let length: number | null = null
    const residuals = (numbers: readonly number[]): readonly number[] | null => {
      const declarations = this.declare(ways, numbers)
      if (declarations === null) return null
      this.count++
      this.onTry()
      const residuals = this.subject.judge(declarations, rows).outcomes.flatMap(({ residuals }) => residuals)
      length ??= residuals.length
      return residuals.length === length && residuals.length >= 2 * numbers.length ? residuals : null
    }
    const rough = this.at(ways, leastSquares(residuals, start, ROUGH).parameters, rows)
    if (rough === null || rough.wrong === 0 || rough.distance > NEAR) return rough
    return this.at(ways, leastSquares(residuals, rough.parameters, FINE).parameters, rows)
  }
}

/**
 * First dimension by dimension: the best way of each is gone on from, until none is better. Then best first: of what is
 * known the nearest to the recordings is varied in every dimension, and what comes of it is known too. A variation that makes the same inputs as another is not varied again.
 * @returns the first that reproduces all `rows`, else the nearest ones, the nearest first
 */
export function search(trials: Trials, starts: readonly Ways[], rows: readonly number[], keep: number): Found[] {
  const seen = new Set<string>()
  const contents = new Set<string>()
  const open: Found[] = []
  const best: Found[] = []
  /** True where it reproduces everything. */
  const visit = (ways: Ways, near?: Found): boolean => {
    const key = ways.join('/')
    if (seen.has(key) || trials.exhausted) return false
    seen.add(key)
    const start = trials.startOf(ways, rows, near)
    if (start === null || contents.has(start)) return false
    contents.add(start)
    const found = trials.try(ways, rows, near)
    if (found === null) return false
    // A fit moves on from where it starts.
    const content = trials.contentOf(found.declarations, rows)
    if (content !== start && contents.has(content)) return false
    contents.add(content)
    insert(open, found)
    insert(best, found)
    if (best.length > keep) best.pop()
    return found.wrong === 0
  }
  for (const ways of starts) if (visit(ways)) return [best[0]]
  for (let before = null as Found | null; best.length > 0 && best[0] !== before; ) {
    before = best[0]
    for (const [i, plan] of trials.plans.entries())
      for (const j of plan.dimensions.keys()) {
        const from = best[0]
        for (const ways of along(from.ways, trials.plans, i, j)) if (visit(ways, from)) return [best[0]]
      }
  }
  for (let next = open.shift(); next !== undefined && !trials.exhausted; next = open.shift())
    for (const ways of neighbours(next.ways, trials.plans)) if (visit(ways, next)) return [best[0]]
  return best
}

/** Ways that differ in one dimension, the likelier way first. */
export function* neighbours(ways: Ways, plans: readonly Plan[]): Generator<Ways> {
  for (const [i, plan] of plans.entries()) for (const j of plan.dimensions.keys()) yield* along(ways, plans, i, j)
}

/** Ways that differ in dimension `j` of plan `i`. */
function* along(ways: Ways, plans: readonly Plan[], i: number, j: number): Generator<Ways> {
  for (const way of plans[i].dimensions[j].ways.keys()) if (way !== ways[i][j]) yield changed(ways, i, j, way)
}

/** `ways` with another way of dimension `j` of plan `i`. */
export const changed = (ways: Ways, i: number, j: number, way: number): Ways =>
  ways.map((own, k) => (k === i ? own.map((other, l) => (l === j ? way : other)) : own))

const isBefore = (a: Found, b: Found): boolean => (a.wrong !== b.wrong ? a.wrong < b.wrong : a.distance < b.distance)

/** Puts `found` behind those that are as near: the likelier was tried before. */
function insert(into: Found[], found: Found): void {
  let [low, high] = [0, into.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (isBefore(found, into[middle])) high = middle
    else low = middle + 1
  }
  into.splice(low, 0, found)
}
