import { CONST, type Node, type Op, type OpTable, PARAMETER } from '../graph/index.ts'
import { CORE } from './core.ts'

/** What the evaluator itself knows. */
const BUILT_IN: ReadonlySet<string> = new Set([CONST, PARAMETER])

/** The entries for `nodes`, ready to evaluate them. */
export async function loadOpsOf(nodes: readonly Pick<Node, 'op' | 'attrs'>[]): Promise<OpTable> {
  const table = await loadOps(new Set(nodes.map(({ op }) => op)))
  // Most nodes need nothing, and a promise for each of hundreds takes longer than all else that is done for them.
  const preparing: Promise<unknown>[] = []
  for (const { op, attrs } of nodes) {
    const prepared = table.get(op)?.prepare?.(attrs)
    if (prepared !== undefined) preparing.push(prepared)
  }
  if (preparing.length > 0) await Promise.all(preparing)
  return table
}

/** The entries for `names`, with those of the families that they belong to; names that nobody knows are left out. */
export async function loadOps(names: ReadonlySet<string>): Promise<OpTable> {
  const table = new Map<string, Op>()
  for (const ops of Object.values(CORE)) for (const [name, op] of Object.entries(ops)) table.set(name, op)
  const others = [...names].filter((name) => !table.has(name) && !BUILT_IN.has(name))
  if (others.length === 0) return table
  const { FAMILIES, familyOf } = await import('./families.ts')
  const families = new Set(others.flatMap((name) => familyOf(name) ?? []))
  const loaded = await Promise.all([...families].map((family) => FAMILIES[family].load()))
  for (const { ops } of loaded) for (const [name, op] of Object.entries(ops)) table.set(name, op)
  return table
}
