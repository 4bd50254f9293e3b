/** Asks one query after the other: milliseconds each, and of each the rows that were found. */
export function timed(queries, search, rowOf) {
  const start = performance.now()
  const found = queries.map(search)
  const milliseconds = (performance.now() - start) / queries.length
  return { milliseconds, rows: found.map((ids) => Array.from(ids, rowOf)) }
}
