import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpuMilliseconds } from './cpu.mjs'
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
  const start = cpuMilliseconds()
  for (let row = 0; row < rows; row++) index.addPoint(Array.from(items.subarray(row * width, (row + 1) * width)), row)
  const seconds = (cpuMilliseconds() - start) / 1000
  const bytes = savedBytes(index)
  const lists = queries.map((query) => Array.from(query))
  const run = ({ ef }) => {
    index.setEf(ef)
    return timed(lists, (query) => index.searchKnn(query, k).neighbors, Number)
  }
  const { version } = JSON.parse(
    readFileSync(new URL('../node_modules/hnswlib-node/package.json', import.meta.url), 'utf8'),
  )
  return { version, seconds, bytes, settings: [16, 32, 64, 128, 256, 512].map((ef) => ({ ef })), run }
}

function savedBytes(index) {
  const folder = mkdtempSync(join(tmpdir(), 'hnswlib-'))
  index.writeIndexSync(join(folder, 'index'))
  const { size } = statSync(join(folder, 'index'))
  rmSync(folder, { recursive: true })
  return size
}
