import { readFileSync } from 'node:fs'
import { insertion } from './distances.mjs'
import { kept, progress } from './kept.mjs'
import { timed } from './timed.mjs'

const METRICS = { dot: 'ip', cosine: 'cos', euclidean: 'l2sq' }
const [EDGES, BUILT_WITH] = [16, 100]
const BATCH = 10_000

/** usearch's HNSW over float32, one thread. How far a search expands is set where an index is made, so each opens the file. */
export async function usearch(data) {
  const { folder, items, queries, width, metric, k } = data
  const { Index } = (await import('usearch')).default
  const { version } = JSON.parse(readFileSync(new URL('../node_modules/usearch/package.json', import.meta.url), 'utf8'))
  const of = (expansion_search) =>
    new Index({
      ...{ metric: METRICS[metric], dimensions: width, quantization: 'f32', connectivity: EDGES },
      ...{ expansion_add: BUILT_WITH, expansion_search, multi: false },
    })
  const build = () => {
    const built = of(BUILT_WITH)
    const order = insertion(data)
    const tell = progress('usearch', order.length)
    for (let start = 0; start < order.length; start += BATCH) {
      tell(start)
      const rows = order.subarray(start, start + BATCH)
      const some = new Float32Array(rows.length * width)
      for (const [i, row] of rows.entries()) some.set(items.subarray(row * width, (row + 1) * width), i * width)
      built.add(BigUint64Array.from(rows, BigInt), some, 1)
    }
    return built
  }
  const name = `usearch-${version}-${EDGES}-${BUILT_WITH}`
  const { path, seconds, bytes } = kept(folder, name, build, (index, to) => index.save(to))
  let [open, opened] = [null, null]
  const run = (setting) => {
    if (opened !== setting.ef) {
      open = of(setting.ef)
      open.load(path)
      opened = setting.ef
    }
    return timed(queries, (query) => open.search(query, k, 1).keys, Number)
  }
  return { version, seconds, bytes, run, settings: [16, 32, 64, 128, 256, 512].map((ef) => ({ ef })) }
}
