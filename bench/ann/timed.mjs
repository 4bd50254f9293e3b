import { cpuMilliseconds } from './cpu.mjs'

/** Asks one query after the other: milliseconds each, and of each the rows that were found. */
export function timed(queries, search, rowOf) {
  const start = cpuMilliseconds()
  const found = queries.map(search)
  const milliseconds = (cpuMilliseconds() - start) / queries.length
  return { milliseconds, rows: found.map((ids) => Array.from(ids, rowOf)) }
}
