import { type Json, parseJson } from '../json/parse.ts'
import { jsonText } from '../json/text.ts'
import type { Filter, SearchOptions } from '../search/datapoint.ts'
import { FILTER_MEMBERS, filterIn, filterOf } from '../search/filterjson.ts'
import { isMembers } from '../serve/values.ts'
import { UsageError } from './exit.ts'
import { countOf, readText, shareOf } from './stdio.ts'

/** The options that say what every query wants. */
export interface WantedOptions {
  readonly k: string
  readonly filter?: string
  readonly exclude?: readonly string[]
  readonly perCrowdingTag?: string
  readonly approximate?: boolean
  readonly leaves?: string
}

/** What the options ask for each query. @throws {UsageError} where they do not say it rightly */
export async function wantedOf(options: WantedOptions): Promise<SearchOptions> {
  const { k, filter: given, exclude, perCrowdingTag } = options
  const filter = given === undefined ? {} : await filterAt(given)
  return {
    k: countOf('--k', k),
    filter: { ...filter, ...(exclude !== undefined && { exclude: [...(filter.exclude ?? []), ...exclude] }) },
    ...(perCrowdingTag !== undefined && { perCrowdingTag: countOf('--per-crowding-tag', perCrowdingTag) }),
    ...approximateOf(options),
  }
}

function approximateOf({ approximate = false, leaves }: WantedOptions): Pick<SearchOptions, 'approximate'> {
  if (leaves === undefined) return approximate ? { approximate } : {}
  return { approximate: { fractionLeafNodesToSearchOverride: shareOf('--leaves', leaves) } }
}

/** A filter as JSON, or in the file that is named. */
async function filterAt(given: string): Promise<Filter> {
  const text = given.trimStart().startsWith('{') ? given : await readText(given)
  try {
    return filterOf(parseJson(text))
  } catch (error) {
    throw new UsageError(`--filter: ${(error as Error).message}`)
  }
}

const COUNTS = ['neighbor_count', 'neighborCount']
const FRACTIONS = ['fraction_leaf_nodes_to_search_override', 'fractionLeafNodesToSearchOverride']
const CANDIDATES = ['approximate_neighbor_count', 'approximateNeighborCount']
const CROWDS = ['per_crowding_attribute_neighbor_count', 'perCrowdingAttributeNeighborCount']

/**
 * What one query asks for: what its row says itself stands in the place of what the options say; what either excludes is
 * excluded.
 * @param features the names of the query tower's features, which are nothing else
 * @throws {TypeError | RangeError} where the row does not say it rightly
 */
export function wantedBy(row: Json | undefined, features: readonly string[], all: SearchOptions): SearchOptions {
  if (row === undefined || !isMembers(row)) return all
  const own = (names: readonly string[]) =>
    names
      .filter((name) => row[name] !== undefined && !features.includes(name))
      .map((name) => [name, row[name]] as const)
  const count = (names: readonly string[]) =>
    own(names).map(([name, value]) => {
      if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value
      throw new RangeError(`"${name}" must be a positive integer, got ${jsonText(value)}`)
    })[0]
  const members = own(FILTER_MEMBERS)
  const [k, perCrowdingTag, candidates] = [count(COUNTS), count(CROWDS), count(CANDIDATES)]
  const fraction = own(FRACTIONS).map(([name, value]) => {
    if (typeof value === 'number' && value > 0 && value <= 1) return value
    throw new RangeError(`"${name}" must be over 0 and at most 1, got ${jsonText(value)}`)
  })[0]
  const approximate = {
    ...(typeof all.approximate === 'object' && all.approximate),
    ...(fraction !== undefined && { fractionLeafNodesToSearchOverride: fraction }),
    ...(candidates !== undefined && { approximateNeighborCount: candidates }),
  }
  const others = [k, perCrowdingTag, fraction, candidates]
  // The same object where nothing differs: its rows are then looked for once.
  if (members.length === 0 && others.every((value) => value === undefined)) return all
  const filter = filterIn(Object.fromEntries(members))
  const exclude = [...(all.filter?.exclude ?? []), ...(filter.exclude ?? [])]
  return {
    ...all,
    filter: { ...all.filter, ...filter, ...(exclude.length > 0 && { exclude }) },
    ...(k !== undefined && { k }),
    ...(perCrowdingTag !== undefined && { perCrowdingTag }),
    ...((fraction ?? candidates) !== undefined && { approximate }),
  }
}
