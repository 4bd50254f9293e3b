import type { Node, Op, OpTable } from '../graph/index.ts'
import { FAMILIES } from './families.ts'

const FAMILY_OF = new Map(
  Object.entries(FAMILIES).flatMap(([family, { ops }]) => ops.map((op) => [op, family] as const)),
)

/** The entries for `nodes`, ready to evaluate them. */
export async function loadOpsOf(nodes: readonly Pick<Node, 'op' | 'attrs'>[]): Promise<OpTable> {
  const table = await loadOps(new Set(nodes.map(({ op }) => op)))
  await Promise.all(nodes.map(({ op, attrs }) => table.get(op)?.prepare?.(attrs)))
  return table
}

/** The entries for `names`, from the families that they belong to; names that nobody knows are left out. */
export async function loadOps(names: Iterable<string>): Promise<OpTable> {
  const families = new Set<string>()
  for (const name of names) {
    const family = FAMILY_OF.get(name)
    if (family !== undefined) families.add(family)
  }
  const table = new Map<string, Op>()
  const loaded = await Promise.all([...families].map((family) => FAMILIES[family].load()))
  for (const { ops } of loaded) for (const [name, op] of Object.entries(ops)) table.set(name, op)
  return table
}

/** Every op that twotower runs, ready for any node: the importer needs to know them all. */
export async function loadAllOps(): Promise<OpTable> {
  const table = await loadOps(FAMILY_OF.keys())
  await Promise.all([...table.values()].map((op) => op.prepare?.()))
  return table
}

/** The family of op `name`, or undefined where twotower has no such op. */
export const familyOf = (name: string): string | undefined => FAMILY_OF.get(name)
