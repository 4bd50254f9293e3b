import { readFileSync } from 'node:fs'
import { compileKernels, ExactIndex, Partitions, rankApproximately } from '../../dist/search/index.js'
import { cpuMilliseconds } from './cpu.mjs'
import { timed } from './timed.mjs'

const FRACTIONS = [0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.04, 0.05, 0.08, 0.15]
/** Where it is not said, those are measured that the codes do not rule out. */
const MEASURED = [undefined, 50, 100, 400]

/** The exact scan, which says what is right, and the partitions. */
export async function ours({ items, queries, width, metric, k }) {
  const kernels = await compileKernels()
  const similarity = { metric, scale: 1, bias: 0, sigmoid: false }
  const ids = Array.from({ length: items.length / width }, (_, row) => String(row))
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  let index
  const exact = () => {
    index ??= new ExactIndex(ids, items, similarity, kernels)
    return { search: (query) => index.search(query, k).ids.map(Number) }
  }
  const approximate = () => {
    const start = cpuMilliseconds()
    const partitions = Partitions.build(items, width, similarity, {}, kernels)
    const seconds = (cpuMilliseconds() - start) / 1000
    const settings = MEASURED.flatMap((approximateNeighborCount) =>
      FRACTIONS.map((fractionLeafNodesToSearchOverride) => ({
        approximateNeighborCount,
        fractionLeafNodesToSearchOverride,
      })),
    )
    const search = (query, setting) => {
      const [asked] = index.asked([query], k)
      return index.neighbors(rankApproximately(partitions, index.ranker, asked, null, setting)).ids
    }
    const run = (setting) => timed(queries, (query) => search(query, setting), Number)
    return { version, seconds, bytes: partitions.stats().bytes + items.byteLength, settings, run }
  }
  return { exact, twotower: approximate }
}
