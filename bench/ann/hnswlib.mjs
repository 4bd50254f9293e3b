import { readFileSync } from 'node:fs'
import { timed } from './timed.mjs'

const SPACES = { dot: 'ip', cosine: 'cosine', euclidean: 'l2' }

/** hnswlib's HNSW, where its native part was built: `npm rebuild hnswlib-node` in bench/ does, with a compiler and Node's headers. */
export async function hnswlib({ items, queries, width, metric, k }) {
  let loaded
  try {
    loaded = (await import('hnswlib-node')).default
  } catch (error) {
    return { skipped: `${error.message.split('\n')[0]}; npm rebuild hnswlib-node builds it` }
  }
  const rows = items.length / width
  const index = new loaded.HierarchicalNSW(SPACES[metric], width)
  index.initIndex(rows, 16, 100, 7)
  const start = performance.now()
  for (let row = 0; row < rows; row++) index.addPoint(Array.from(items.subarray(row * width, (row + 1) * width)), row)
  const seconds = (performance.now() - start) / 1000
  const lists = queries.map((query) => Array.from(query))
  const run = ({ ef }) => {
    index.setEf(ef)
    return timed(lists, (query) => index.searchKnn(query, k).neighbors, Number)
  }
  const { version } = JSON.parse(
    readFileSync(new URL('../node_modules/hnswlib-node/package.json', import.meta.url), 'utf8'),
  )
  return { version, seconds, settings: [16, 32, 64, 128, 256, 512].map((ef) => ({ ef })), run }
}
