import type { Comparison, Datapoint, Filter, NumericCondition, NumericRestrict, Restrict } from './datapoint.ts'
import { checkCondition, checkNamespace, checkNumber, checkRestricts } from './restricts.ts'

// Restricts as Vector Search writes them in JSON: in its files (`allow`, `value_int`), in its REST interface (`allowList`,
// `valueInt`) and as protobuf's names (`allow_list`), all of them everywhere.

type Members = Readonly<Record<string, unknown>>

const NUMERIC = ['numeric_restricts', 'numericRestricts'] as const
const CROWDING = ['crowding_tag', 'crowdingTag'] as const
const ATTRIBUTE = ['crowding_attribute', 'crowdingAttribute'] as const
/** The members of a filter. */
export const FILTER_MEMBERS = ['restricts', ...NUMERIC, 'include', 'exclude'] as const

/**
 * A filter out of `{"restricts", "numeric_restricts", "include", "exclude"}`, each of which may be missing. An int is a
 * whole number, a bigint or, as protobuf's JSON has int64, digits in a string.
 * @throws {TypeError | RangeError} where a member is not known, or is not what it should be
 */
export function filterOf(json: unknown): Filter {
  const members = membersOf('a filter', json)
  only('a filter', members, FILTER_MEMBERS)
  return filterIn(members)
}

/** As `filterOf`, of an object that has other members too. */
export function filterIn(members: Members): Filter {
  const [numeric] = present(members, NUMERIC)
  const { restricts, include, exclude } = members
  return {
    ...(restricts !== undefined && { restricts: restrictsOf(restricts) }),
    ...(numeric !== undefined && { numericRestricts: listOf(numeric, members[numeric]).map(conditionOf) }),
    ...(include !== undefined && { include: idsOf('include', include) }),
    ...(exclude !== undefined && { exclude: idsOf('exclude', exclude) }),
  }
}

/** Token restricts, of an item or of a query. @throws {TypeError | RangeError} where they are none */
export function restrictsOf(json: unknown): Restrict[] {
  const restricts = listOf('restricts', json).map((one) => {
    const members = membersOf('a restrict', one)
    const names = { allow: ['allow', 'allow_list', 'allowList'], deny: ['deny', 'deny_list', 'denyList'] } as const
    only('a restrict', members, ['namespace', ...names.allow, ...names.deny])
    const [[allow], [deny]] = [present(members, names.allow), present(members, names.deny)]
    return {
      namespace: members.namespace as string,
      // protobuf's JSON may write what is empty as null.
      ...(allow !== undefined && { allow: (members[allow] ?? []) as string[] }),
      ...(deny !== undefined && { deny: (members[deny] ?? []) as string[] }),
    }
  })
  checkRestricts(restricts)
  return restricts
}

/** The numbers of an item. @throws {TypeError | RangeError} where they are none, or one has an op */
export function numericRestrictsOf(json: unknown): NumericRestrict[] {
  return listOf(NUMERIC[0], json).map((one) => {
    const restrict = numberOf(membersOf('a numeric restrict', one), [])
    checkNumber(restrict)
    return restrict
  })
}

/**
 * What an item has besides its vector, out of `restricts`, `numeric_restricts` and `crowding_tag` among its members; the tag
 * is text or, as in REST, `{"crowding_attribute"}`.
 * @throws {TypeError | RangeError} where they are not what they should be
 */
export function attributesIn(members: Members): Omit<Datapoint, 'id' | 'embedding'> {
  const [[numeric], [crowding]] = [present(members, NUMERIC), present(members, CROWDING)]
  const { restricts } = members
  return {
    ...(restricts !== undefined && { restricts: restrictsOf(restricts) }),
    ...(numeric !== undefined && { numericRestricts: numericRestrictsOf(members[numeric]) }),
    ...(crowding !== undefined && { crowdingTag: crowdingTagOf(members[crowding]) }),
  }
}

function crowdingTagOf(json: unknown): string {
  if (typeof json === 'string') return json
  const members = membersOf('a crowding tag that is no text', json)
  only('a crowding tag', members, ATTRIBUTE)
  const [name] = present(members, ATTRIBUTE)
  const tag = members[name]
  if (typeof tag === 'string') return tag
  throw new TypeError('a crowding tag must be text, or {"crowding_attribute": text}')
}

function conditionOf(json: unknown): NumericCondition {
  const members = membersOf('a numeric restrict', json)
  const condition = { ...numberOf(members, ['op']), op: members.op as Comparison }
  checkCondition(condition)
  return condition
}

const TYPES = {
  int: ['value_int', 'valueInt'],
  float: ['value_float', 'valueFloat'],
  double: ['value_double', 'valueDouble'],
}
const VALUES = Object.values(TYPES).flat()

function numberOf(members: Members, more: readonly string[]): NumericRestrict {
  only('a numeric restrict', members, ['namespace', ...VALUES, ...more])
  const namespace = members.namespace as string
  checkNamespace('a numeric restrict', namespace)
  const given = VALUES.filter((name) => members[name] !== undefined && members[name] !== null)
  if (given.length !== 1)
    throw new RangeError(
      `the numeric restrict in the namespace ${JSON.stringify(namespace)} must have one of value_int, value_float and value_double, got ${given.length === 0 ? 'none' : given.join(' and ')}`,
    )
  const value = members[given[0]]
  if (TYPES.int.includes(given[0])) return { namespace, type: 'int', value: int64(value) as bigint }
  const type = TYPES.float.includes(given[0]) ? 'float' : 'double'
  // A whole number past 2^53 was read as a bigint.
  return { namespace, type, value: typeof value === 'bigint' ? Number(value) : (value as number) }
}

/** A whole number as a bigint; what is none stays for the check to refuse. */
function int64(value: unknown): unknown {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  return typeof value === 'string' && /^-?\d{1,19}$/.test(value) ? BigInt(value) : value
}

function membersOf(what: string, json: unknown): Members {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Members
  throw new TypeError(`${what} must be a JSON object, got ${kindOf(json)}`)
}

function listOf(name: string, json: unknown): readonly unknown[] {
  if (Array.isArray(json)) return json
  throw new TypeError(`"${name}" must be a list, got ${kindOf(json)}`)
}

/** Ids, which an index holds as text. */
function idsOf(name: string, json: unknown): string[] {
  return listOf(name, json).map((id) => {
    if (typeof id === 'string' || typeof id === 'number' || typeof id === 'bigint') return String(id)
    throw new TypeError(`"${name}" must be a list of ids, got ${kindOf(id)} in it`)
  })
}

/** Which of the spellings of a member there is. @throws {RangeError} where there are two */
function present(members: Members, names: readonly string[]): string[] {
  const found = names.filter((name) => members[name] !== undefined)
  if (found.length > 1)
    throw new RangeError(`${found.map((name) => `"${name}"`).join(' and ')} are one member; give one`)
  return found
}

function only(what: string, members: Members, known: readonly string[]): void {
  const strange = Object.keys(members).find((name) => !known.includes(name))
  if (strange !== undefined)
    throw new RangeError(`${what} has no member ${JSON.stringify(strange)}; it has ${known.join(', ')}`)
}

const kindOf = (json: unknown): string =>
  json === null ? 'null' : Array.isArray(json) ? 'a list' : typeof json === 'object' ? 'an object' : `a ${typeof json}`
