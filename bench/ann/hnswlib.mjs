import { readFileSync } from 'node:fs'
import { insertion } from './distances.mjs'
import { kept, progress } from './kept.mjs'
import { timed } from './timed.mjs'

const SPACES = { dot: 'ip', cosine: 'cosine', euclidean: 'l2' }
const [EDGES, BUILT_WITH, SEED] = [16, 100, 7]

/** hnswlib's HNSW, where its native part was built; bench/README.md says how. */
export async function hnswlib(data) {
  const { folder, items, queries, width, metric, k } = data
  let loaded
  try {
    loaded = (await import('hnswlib-node')).default
  } catch (error) {
    return { skipped: `${error.message.split('\n')[0]}; npm rebuild hnswlib-node builds it` }
  }
  const { version } = JSON.parse(
    readFileSync(new URL('../node_modules/hnswlib-node/package.json', import.meta.url), 'utf8'),
  )
  const build = () => {
    const built = new loaded.HierarchicalNSW(SPACES[metric], width)
    const rows = items.length / width
    const tell = progress('hnswlib-node', rows)
    built.initIndex(rows, EDGES, BUILT_WITH, SEED)
    for (const [i, row] of insertion(data).entries()) {
      tell(i)
      built.addPoint(Array.from(items.subarray(row * width, (row + 1) * width)), row)
    }
    return built
  }
  const name = `hnswlib-node-${version}-${EDGES}-${BUILT_WITH}`
  const { path, seconds, bytes } = kept(folder, name, build, (index, to) => index.writeIndexSync(to))
  const index = new loaded.HierarchicalNSW(SPACES[metric], width)
  index.readIndexSync(path)
  const lists = queries.map((query) => Array.from(query))
  const run = ({ ef }) => {
    index.setEf(ef)
    return timed(lists, (query) => index.searchKnn(query, k).neighbors, Number)
  }
  return { version, seconds, bytes, run, settings: [16, 32, 64, 128, 256, 512].map((ef) => ({ ef })) }
}
