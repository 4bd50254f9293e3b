import type { OpTable } from '../graph/index.ts'
import { FAMILIES } from './families.ts'
import { loadOps } from './index.ts'

// Ops by the hundred, for what reads or looks at any model; what runs one loads those of its nodes (index.ts).

/** Every op that twotower runs, ready for any node. */
export async function loadAllOps(): Promise<OpTable> {
  return loadReady(Object.values(FAMILIES).flatMap(({ ops }) => Object.keys(ops)))
}

/**
 * What an importer needs to know: every op but those of the rare families that hold none of `names`, ready for any node.
 * @param names those that nodes may have
 */
export async function loadOpsFor(names: Iterable<string>): Promise<OpTable> {
  const usual = Object.values(FAMILIES).flatMap(({ rare, ops }) => (rare ? [] : Object.keys(ops)))
  return loadReady([...usual, ...names])
}

async function loadReady(names: readonly string[]): Promise<OpTable> {
  const table = await loadOps(new Set(names))
  await Promise.all([...table.values()].map((op) => op.prepare?.()))
  return table
}
