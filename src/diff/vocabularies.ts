import { constantOf, functionsOf, type Graph, type ModelDefinition, type Resource, type Table } from '../graph/index.ts'
import { isNumeric, sizeOf, type Tensor } from '../tensor/index.ts'

/** How a lookup table changed. */
export interface VocabularyChange {
  readonly name: string
  /** Entries; null where the model has no such table. */
  readonly a: number | null
  readonly b: number | null
  readonly added: Entries
  readonly removed: Entries
  /** Keys with another value: words that moved. */
  readonly moved: Entries
}

/** How many entries, and the first of them as they are shown. */
export interface Entries {
  readonly count: number
  readonly first: readonly string[]
}

/** Entries that are shown. */
const FIRST = 5

/** The tables that differ. */
export function changedVocabularies(a: ModelDefinition, b: ModelDefinition): VocabularyChange[] {
  return pairs(tablesOf(a), tablesOf(b))
    .map(([ours, theirs]) => changeOf(ours, theirs))
    .filter(({ a, b, added, removed, moved }) => a !== b || added.count + removed.count + moved.count > 0)
}

/** Tables of the same name; those that are left, in order: an export numbers its tables as it likes. */
function pairs(a: readonly Table[], b: readonly Table[]): [Table | null, Table | null][] {
  const rest = new Set(b)
  const taken = new Map<Table, Table>()
  const take = (wanted: (ours: Table, theirs: Table) => boolean): void => {
    for (const ours of a) {
      if (taken.has(ours)) continue
      const twin = [...rest].find((theirs) => sameTypes(ours, theirs) && wanted(ours, theirs))
      if (twin === undefined) continue
      taken.set(ours, twin)
      rest.delete(twin)
    }
  }
  take((ours, theirs) => ours.name === theirs.name)
  take(() => true)
  return [
    ...a.map((ours): [Table, Table | null] => [ours, taken.get(ours) ?? null]),
    ...[...rest].map((theirs): [null, Table] => [null, theirs]),
  ]
}

const sameTypes = (a: Table, b: Table): boolean => a.keyDtype === b.keyDtype && a.valueDtype === b.valueDtype

function changeOf(a: Table | null, b: Table | null): VocabularyChange {
  const [ours, theirs] = [entriesOf(a), entriesOf(b)]
  const added = [...theirs.keys()].filter((key) => !ours.has(key))
  const removed = [...ours.keys()].filter((key) => !theirs.has(key))
  const moved = [...ours.keys()].filter((key) => theirs.has(key) && theirs.get(key) !== ours.get(key))
  return {
    name: (a ?? b)?.name ?? '',
    a: a?.size ?? null,
    b: b?.size ?? null,
    added: first(added, (key) => key),
    removed: first(removed, (key) => key),
    moved: first(moved, (key) => `${key}: ${ours.get(key)} → ${theirs.get(key)}`),
  }
}

const first = (keys: readonly string[], shown: (key: string) => string): Entries => ({
  count: keys.length,
  first: keys.slice(0, FIRST).map(shown),
})

function entriesOf(table: Table | null): Map<string, string> {
  if (table === null || !table.initialized) return new Map()
  const { keys, values } = table.export()
  const count = sizeOf(keys.shape)
  const width = count === 0 ? 1 : sizeOf(values.shape) / count
  const valueAt = (i: number) => Array.from({ length: width }, (_, j) => text(values, i * width + j)).join(', ')
  return new Map(Array.from({ length: count }, (_, i) => [text(keys, i), valueAt(i)]))
}

const text = (t: Tensor, i: number): string =>
  t.dtype === 'string' ? JSON.stringify(t.data.text(i)) : isNumeric(t) ? String(t.data[i]) : ''

/** The tables that the signatures look up, in the order in which they meet them. */
export function tablesOf({ signatures }: ModelDefinition): Table[] {
  const found = new Set<Table>()
  const visit = (graph: Graph): void => {
    for (const node of graph.nodes) {
      const held = constantOf({ node, index: 0 })
      const resource = held?.dtype === 'resource' ? (held.data[0] as Resource) : null
      if (resource?.kind === 'table') found.add(resource)
      for (const inner of functionsOf(node)) visit(inner)
    }
  }
  for (const { graph } of signatures) visit(graph)
  return [...found]
}
