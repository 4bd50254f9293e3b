import type { Attributes } from './attributes.ts'
import type { Filter, Restrict } from './datapoint.ts'
import { checkCondition, checkRestricts } from './restricts.ts'
import { RowSet } from './rowset.ts'

/** What a filter is held against. */
export interface Filtered {
  readonly rows: number
  /** Null where items have vectors and ids alone: then nothing is allowed, and no number compares. */
  readonly attributes: Attributes | null
  /** The rows of an id; none where it is not there. */
  rowsOf(id: string): readonly number[]
}

/**
 * The rows that `filter` lets through; null where it lets all through without a look at them. A namespace, a token or an id
 * that no item has is no error: nothing matches it.
 * @throws {TypeError | RangeError} where a condition is none: an empty namespace, a NaN, another comparison
 */
export function select(filter: Filter, { rows, attributes, rowsOf }: Filtered): RowSet | null {
  const { restricts = [], numericRestricts = [], include, exclude } = filter
  checkFilter(filter)
  const excluded = [...(exclude ?? [])].flatMap((id) => rowsOf(id))
  if (restricts.length + numericRestricts.length + excluded.length === 0 && include === undefined) return null
  const set =
    include === undefined
      ? RowSet.all(rows)
      : RowSet.of(
          rows,
          [...include].flatMap((id) => rowsOf(id)),
        )
  for (const row of excluded) set.delete(row)
  if (attributes !== null) {
    for (const restrict of joined(restricts)) attributes.tokens.narrow(set, restrict)
    for (const condition of numericRestricts) attributes.numbers.narrow(set, condition)
  } else if (numericRestricts.length > 0 || restricts.some(({ allow = [] }) => allow.length > 0)) set.bits.fill(0)
  return set
}

/** @throws {TypeError | RangeError} where a condition is none */
function checkFilter({ restricts = [], numericRestricts = [], include, exclude }: Filter): void {
  checkRestricts(restricts)
  for (const condition of numericRestricts) checkCondition(condition)
  for (const [name, ids] of [
    ['include', include],
    ['exclude', exclude],
  ] as const)
    if (typeof ids === 'string') throw new TypeError(`${name} must be a list of ids, got one string`)
}

/** A namespace that is named twice is one with the tokens of both: within a namespace tokens are alternatives. */
export function joined(restricts: readonly Restrict[]): Required<Restrict>[] {
  const byNamespace = new Map<string, { allow: string[]; deny: string[] }>()
  for (const { namespace, allow = [], deny = [] } of restricts) {
    const own = byNamespace.get(namespace) ?? { allow: [], deny: [] }
    // Not by push(...allow), which takes no more tokens than a call may have arguments.
    for (const token of allow) own.allow.push(token)
    for (const token of deny) own.deny.push(token)
    byNamespace.set(namespace, own)
  }
  return Array.from(byNamespace, ([namespace, own]) => ({ namespace, ...own }))
}
