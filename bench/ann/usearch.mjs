import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpuMilliseconds } from './cpu.mjs'
import { timed } from './timed.mjs'

const METRICS = { dot: 'ip', cosine: 'cos', euclidean: 'l2sq' }
const BATCH = 10_000

/** usearch's HNSW over float32, one thread. How far a search expands is set where an index is made, so each opens the file. */
export async function usearch({ items, queries, width, metric, k }) {
  const { Index } = (await import('usearch')).default
  const of = (expansion_search) =>
    new Index({
      ...{ metric: METRICS[metric], dimensions: width, quantization: 'f32', connectivity: 16 },
      ...{ expansion_add: 100, expansion_search, multi: false },
    })
  const built = of(64)
  const start = cpuMilliseconds()
  for (let row = 0; row < items.length / width; row += BATCH) {
    const some = items.subarray(row * width, (row + BATCH) * width)
    const keys = BigUint64Array.from({ length: some.length / width }, (_, i) => BigInt(row + i))
    built.add(keys, some, 1)
  }
  const seconds = (cpuMilliseconds() - start) / 1000
  const folder = mkdtempSync(join(tmpdir(), 'usearch-'))
  const path = join(folder, 'index')
  built.save(path)
  let [open, opened] = [null, null]
  const run = (setting) => {
    if (opened !== setting.ef) {
      open = of(setting.ef)
      open.load(path)
      opened = setting.ef
    }
    return timed(queries, (query) => open.search(query, k, 1).keys, Number)
  }
  const { version } = JSON.parse(readFileSync(new URL('../node_modules/usearch/package.json', import.meta.url), 'utf8'))
  return {
    ...{ version, seconds, bytes: statSync(path).size, run },
    settings: [16, 32, 64, 128, 256, 512].map((ef) => ({ ef })),
    close: () => rmSync(folder, { recursive: true }),
  }
}
