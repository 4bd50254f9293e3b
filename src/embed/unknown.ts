import type { Call, Graph, ModelDefinition, Node, Op, OpTable, Port, Table } from '../graph/index.ts'
import { isNumeric, sizeOf, type Tensor, type TypedArray } from '../tensor/index.ts'

/** Of one feature's values, how many were looked up in a vocabulary, and how many it does not have. */
export interface Lookups {
  readonly unknown: number
  readonly all: number
}

/** Lookups by feature. */
export type LookupCounts = Readonly<Record<string, Lookups>>

const FIND = ['LookupTableFind', 'LookupTableFindV2']
/** Looks up the words of texts; beside their padded ids it gives how many of each row are words. */
const WORD_IDS = 'twotower>WordIds'

/**
 * Counts what vocabularies do not have, while a model runs: a key that is answered by the table's default, where that is no
 * value of the table. A lookup of several features together is counted by the table's name.
 */
export class UnknownWords {
  private readonly names = new Map<Node, string>()
  private readonly tellable = new Map<Node, boolean>()
  private counts = new Map<string, { unknown: number; all: number }>()

  /** Names the lookups of `graph` by the inputs that they depend on. */
  watch(graph: Graph, inputs: readonly Port[]): void {
    const sources = new Map<Node, ReadonlySet<string>>()
    graph.parameters.forEach((node, i) => {
      sources.set(node, new Set([inputs[i].name]))
    })
    for (const node of graph.nodes) {
      if (!sources.has(node))
        sources.set(node, new Set(node.inputs.flatMap(({ node: from }) => [...(sources.get(from) ?? [])])))
      const [name, ...others] = sources.get(node) ?? []
      if ((FIND.includes(node.op) || node.op === WORD_IDS) && name !== undefined && others.length === 0)
        this.names.set(node, name)
    }
  }

  /** The same for a whole model: its signatures and its towers. */
  watchAll({ signatures, towers }: ModelDefinition): void {
    for (const part of [...signatures, towers.query, towers.candidate])
      if (part !== null) this.watch(part.graph, part.inputs)
  }

  /** `ops` whose lookups are counted. */
  counting = (ops: OpTable): OpTable => {
    const table = new Map(ops)
    for (const name of [...FIND, WORD_IDS]) {
      const op = ops.get(name)
      if (op !== undefined) table.set(name, this.counted(op))
    }
    return table
  }

  private counted(op: Op): Op {
    return {
      ...op,
      evaluate: (call) => {
        const result = op.evaluate(call)
        if ('dtype' in result) this.count(call, result, sizeOf(result.shape), () => true)
        else {
          const [ids, lengths] = result as readonly [Tensor, Tensor]
          const [counts, width] = [Array.from(lengths.data as BigInt64Array, Number), ids.shape[1]]
          const words = counts.reduce((sum, count) => sum + count, 0)
          this.count(call, ids, words, (i) => i % width < counts[Math.floor(i / width)])
        }
        return result
      },
    }
  }

  /** @param isAnswer whether element i of `found` answers a key, as `all` of them do */
  private count(
    { node, inputs: [held, , fallback] }: Call,
    found: Tensor,
    all: number,
    isAnswer: (i: number) => boolean,
  ): void {
    if (held.dtype !== 'resource' || !isNumeric(found) || !isNumeric(fallback)) return
    const table = held.data[0] as Table
    const [otherwise, values] = [(fallback.data as TypedArray)[0], found.data as TypedArray]
    let tellable = this.tellable.get(node)
    if (tellable === undefined) {
      tellable = table.valueShape.length === 0 && !has(table.export().values, otherwise)
      this.tellable.set(node, tellable)
    }
    if (!tellable) return
    const name = this.names.get(node) ?? table.name
    const counts = this.counts.get(name) ?? { unknown: 0, all: 0 }
    this.counts.set(name, counts)
    counts.all += all
    for (let i = 0; i < values.length; i++) if (values[i] === otherwise && isAnswer(i)) counts.unknown++
  }

  /** What was counted since it was last asked. */
  take(): LookupCounts {
    const taken = Object.fromEntries(this.counts)
    this.counts = new Map()
    return taken
  }
}

const has = (values: Tensor, value: number | bigint): boolean =>
  isNumeric(values) && (values.data as { includes(value: number | bigint): boolean }).includes(value)

/** Both counts together. */
export function together(a: LookupCounts, b: LookupCounts): LookupCounts {
  const sum = new Map(Object.entries(a))
  for (const [name, { unknown, all }] of Object.entries(b)) {
    const before = sum.get(name) ?? { unknown: 0, all: 0 }
    sum.set(name, { unknown: before.unknown + unknown, all: before.all + all })
  }
  return Object.fromEntries(sum)
}
