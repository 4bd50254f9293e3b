// node bench/ann/filters.mjs FOLDER [--queries N]
//
// How many of the ten nearest approximate search finds under filters, on the vectors that embed.py or words.mjs left in
// FOLDER, and in which share of the time that exact search takes under the same filter. Prints the table of
// docs/approximate.md. Strewn are items wherever they lie; together are stretches of a thousand, which in embed.py's shop are of
// a category or two, as it sorts them.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { compileKernels, ExactIndex, Partitions, rankApproximately } from '../../dist/search/index.js'
import { spread } from '../measure.mjs'
import { random } from '../random.mjs'
import { cpuMilliseconds } from './cpu.mjs'

const K = 10
const SHARES = [0.5, 0.2, 0.1, 0.05, 0.02, 0.01]
const STRETCH = 1000
/** Queries of a turn. */
const TURN = 10

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { queries: { type: 'string', default: '200' } },
})
const [folder] = positionals
if (folder === undefined) throw new RangeError('which folder? node bench/ann/filters.mjs FOLDER: embed.py makes one')
const { width, metric } = JSON.parse(readFileSync(`${folder}/about.json`, 'utf8'))
const items = floats('items.f32')
const rows = items.length / width
const queries = Array.from({ length: Number(options.queries) }, (_, i) =>
  floats('queries.f32').slice(i * width, (i + 1) * width),
)
const kernels = await compileKernels()
const similarity = { metric, scale: 1, bias: 0, sigmoid: false }
const ids = Array.from({ length: rows }, (_, row) => String(row))
const index = new ExactIndex(ids, items, similarity, kernels)
const { ranker } = index
const partitions = Partitions.build(items, width, similarity, {}, kernels)

console.log(`| items let through | ${SHARES.map((share) => `${100 * share} %`).join(' | ')} |`)
console.log(`| --- |${' --- |'.repeat(SHARES.length)}`)
for (const [kind, stretch] of [
  ['strewn', 1],
  ['together', STRETCH],
])
  console.log(`| ${kind} | ${SHARES.map((share) => cell(allowed(share, stretch))).join(' | ')} |`)

/** Of stretches of so many items each the share that is let through, by chance. */
function allowed(share, stretch) {
  const chance = random(7)
  const chosen = Array.from({ length: Math.ceil(rows / stretch) }, () => chance.next().value < 2 * share - 1)
  return index.select({ include: ids.filter((_, row) => chosen[Math.floor(row / stretch)]) })
}

/** Recall under a filter, and the time of it and of exact search in turns. */
function cell(within) {
  const [exact, near] = [[], []]
  let [found, wanted] = [0, 0]
  for (let start = 0; start < queries.length; start += TURN) {
    const asked = queries.slice(start, start + TURN).map((query) => ({ query, k: K, within, perCrowd: null }))
    const right = timed(exact, asked, (one) => ranker.rank([one])[0])
    const got = timed(near, asked, (one) => rankApproximately(partitions, ranker, one, null, {}))
    for (const [i, ranked] of right.entries()) {
      const kept = new Set(got[i].map(([, row]) => row))
      wanted += ranked.length
      found += ranked.filter(([, row]) => kept.has(row)).length
    }
  }
  const measured = queries.filter((query) => partitions.candidates(query, { k: K, allowed: within }) === null).length
  if (measured === queries.length) return '1, exactly'
  const share = (100 * spread(near).median) / spread(exact).median
  return `${(found / wanted).toFixed(3)} in ${share.toFixed(share < 10 ? 1 : 0)} %`
}

function timed(times, asked, search) {
  const start = cpuMilliseconds()
  const answers = asked.map(search)
  times.push(cpuMilliseconds() - start)
  return answers
}

function floats(file) {
  const bytes = readFileSync(`${folder}/${file}`)
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
}
