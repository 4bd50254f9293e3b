import type { Call, Node, Op, OpTable } from '../graph/index.ts'
import { spread } from './measure.ts'

/** How often a node ran, and milliseconds in it, without those in nodes that it runs itself. */
export interface Spent {
  calls: number
  milliseconds: number
}

/** Takes the time of every op of a table, by the node that it is evaluated for. */
export class Stopwatch {
  private nodes = new Map<Node, Spent>()
  private readonly now: () => number
  /** What looking at the clock takes of an evaluation's time. */
  private readonly glance: number
  /** Milliseconds in the nodes that the current one runs: a conditional's branch, a loop's body. */
  private inside = 0

  /** @param now milliseconds that go by */
  constructor(now: () => number = () => performance.now()) {
    this.now = now
    this.glance = glanceOf(now)
  }

  /** The table with every op timed. */
  around(ops: OpTable): OpTable {
    return new Map([...ops].map(([name, op]) => [name, this.timed(op)]))
  }

  /** What was spent since it was last taken. */
  take(): ReadonlyMap<Node, Spent> {
    const { nodes } = this
    this.nodes = new Map()
    return nodes
  }

  private timed(op: Op): Op {
    return {
      ...op,
      evaluate: (call: Call) => {
        const before = this.inside
        this.inside = 0
        const start = this.now()
        try {
          return op.evaluate(call)
        } finally {
          const elapsed = Math.max(this.now() - start - this.glance, 0)
          const spent = this.nodes.get(call.node) ?? { calls: 0, milliseconds: 0 }
          spent.calls++
          spent.milliseconds += Math.max(elapsed - this.inside, 0)
          this.nodes.set(call.node, spent)
          this.inside = before + elapsed
        }
      },
    }
  }
}

/** Milliseconds between two looks at the clock, one right after the other: the median of a thousand pairs. */
function glanceOf(now: () => number): number {
  const times = Array.from({ length: 1001 }, () => {
    const start = now()
    return now() - start
  })
  return times.sort((a, b) => a - b)[500]
}

/** One line of a profile: microseconds a request, and their share of it. */
export interface Share {
  readonly name: string
  /** Evaluations a request. */
  readonly calls: number
  readonly microseconds: number
  readonly share: number
}

/** Where the time of one request goes. */
export interface Profile {
  readonly rows: number
  readonly microseconds: number
  /** What is not in ops: raw features made into tensors, declared preprocessing, results copied out. */
  readonly outside: Share
  /** By op, the longest first. */
  readonly ops: readonly (Share & { readonly stage: Stage })[]
  /** By the one feature that a node's value depends on; null: by several, the layers above all. */
  readonly features: readonly (Omit<Share, 'name'> & { readonly name: string | null })[]
}

/** Layers compute with what preprocessing makes of features; null where the two are not told apart. */
export type Stage = 'preprocessing' | 'layers' | null

export interface Placed {
  readonly stage: Stage
  readonly feature: string | null
}

/** Requests one after the other, and what the stopwatch took of them. */
export interface Slice {
  readonly nodes: ReadonlyMap<Node, Spent>
  readonly requests: number
  readonly milliseconds: number
}

/**
 * Where the time goes by the median of the slices, so that what hit one of them is left out.
 * @param placeOf where a node belongs
 */
export function profileOf(slices: readonly Slice[], rows: number, placeOf: (node: Node) => Placed): Profile {
  const ops = new Map<string, Spent & { readonly name: string; readonly stage: Stage }>()
  const features = new Map<string | null, Spent>()
  const requests = slices.reduce((sum, slice) => sum + slice.requests, 0)
  const median = (of: (slice: Slice) => number) => spread(slices.map((slice) => of(slice) / slice.requests)).median
  let within = 0
  for (const node of new Set(slices.flatMap(({ nodes }) => [...nodes.keys()]))) {
    const { stage, feature } = placeOf(node)
    const spent = {
      calls: slices.reduce((sum, { nodes }) => sum + (nodes.get(node)?.calls ?? 0), 0) / requests,
      milliseconds: median(({ nodes }) => nodes.get(node)?.milliseconds ?? 0),
    }
    add(ops, `${node.op} ${stage}`, spent, { name: node.op, stage, calls: 0, milliseconds: 0 })
    add(features, feature, spent, { calls: 0, milliseconds: 0 })
    within += spent.milliseconds
  }
  const outside = median(({ nodes, milliseconds }) => {
    const inside = [...nodes.values()].reduce((sum, spent) => sum + spent.milliseconds, 0)
    return Math.max(milliseconds - inside, 0)
  })
  const total = within + outside
  const share = ({ calls, milliseconds }: Spent) => ({
    calls,
    microseconds: 1000 * milliseconds,
    share: total === 0 ? 0 : milliseconds / total,
  })
  const longest = (a: { readonly share: number }, b: { readonly share: number }) => b.share - a.share
  return {
    rows,
    microseconds: 1000 * total,
    outside: { name: 'outside ops', ...share({ calls: 0, milliseconds: outside }) },
    ops: [...ops.values()].map(({ name, stage, ...spent }) => ({ name, stage, ...share(spent) })).sort(longest),
    features: [...features].map(([name, spent]) => ({ name, ...share(spent) })).sort(longest),
  }
}

function add<K, S extends Spent>(to: Map<K, S>, key: K, { calls, milliseconds }: Spent, first: S): void {
  const sum = to.get(key) ?? first
  sum.calls += calls
  sum.milliseconds += milliseconds
  to.set(key, sum)
}
