// node bench/ann/run.mjs FOLDER [--python PATH[,PATH]] [--queries N] [--only NAME,NAME]
//
// Approximate search beside its peers: which of the ten nearest are found, and how long a query takes, on the vectors that
// embed.py left in FOLDER. Writes bench/results/ann/ and its section of docs/performance.md. README.md says how.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { machine } from '../machine.mjs'
import { spread } from '../measure.mjs'
import { cpuMilliseconds } from './cpu.mjs'
import { byDistance } from './distances.mjs'
import { hnswlib } from './hnswlib.mjs'
import { python } from './python.mjs'
import { ours } from './twotower.mjs'
import { usearch } from './usearch.mjs'

const K = 10
const ROUNDS = 5
/** Queries of the exact scan in a turn. */
const SCANNED = 20

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: 'string' },
    queries: { type: 'string', default: '1000' },
    only: { type: 'string' },
  },
})
const [folder] = positionals
if (folder === undefined) throw new RangeError('which folder? node bench/ann/run.mjs FOLDER: embed.py makes one')
const about = JSON.parse(readFileSync(`${folder}/about.json`, 'utf8'))
const { width, metric } = about
const all = floats('items.f32')
const queries = Array.from({ length: Math.min(Number(options.queries), about.queries) }, (_, i) =>
  floats('queries.f32').slice(i * width, (i + 1) * width),
)
const data = { folder, about, items: all, queries, width, metric, k: K }
// A graph of neighbours by inner products is none: long items are everybody's. So it gets distances that rank the same.
const near = metric === 'dot' ? byDistance(data) : data

const pythons = options.python?.split(',') ?? []
const contenders = {
  ...(await ours(data)),
  usearch: () => usearch(near),
  'hnswlib-node': () => hnswlib(near),
  'FAISS IVF-PQ fastscan': () => python(pythons, 'FAISS IVF-PQ fastscan', data),
  'FAISS OPQ + IVF-PQ fastscan': () => python(pythons, 'FAISS OPQ + IVF-PQ fastscan', data),
  'FAISS HNSW': () => python(pythons, 'FAISS HNSW', data),
  ScaNN: () => python(pythons, 'ScaNN', data),
}
const chosen = options.only?.split(',') ?? Object.keys(contenders).filter((name) => name !== 'exact')
const unknown = chosen.filter((name) => !(name in contenders))
if (unknown.length > 0)
  throw new RangeError(`--only takes ${Object.keys(contenders).join(', ')}; got ${unknown.join(', ')}`)

const exact = contenders.exact()
say(`the exact answers of ${queries.length} queries over ${all.length / width} × ${width}`)
const truth = queries.map((query) => new Set(exact.search(query)))
const name = fileURLToPath(new URL(`../results/ann/${about.name}-${process.arch}.json`, import.meta.url))
for (const one of chosen) {
  const contender = await contenders[one]()
  if (contender.skipped !== undefined) {
    say(`${one} is skipped: ${contender.skipped}`)
    continue
  }
  say(`${one} ${contender.version}, built in ${contender.seconds.toFixed(0)} s`)
  const points = []
  for (const setting of contender.settings) points.push(await measured(contender, setting))
  contender.close?.()
  const { version, seconds, bytes } = contender
  write({ name: one, version, seconds, bytes, clock: 'core', points })
}
const { report } = await import('../report/report.mjs')
await report()

/** Recall, and a core's milliseconds a query, in turns with the exact scan: what slows the core slows both. */
async function measured(contender, setting) {
  const [times, scans] = [[], []]
  let found = 0
  await contender.run(setting)
  for (let round = 0; round < ROUNDS; round++) {
    const start = cpuMilliseconds()
    for (let i = 0; i < SCANNED; i++) exact.search(queries[(round * SCANNED + i) % queries.length])
    scans.push((cpuMilliseconds() - start) / SCANNED)
    const { rows, milliseconds } = await contender.run(setting)
    times.push(milliseconds)
    found = rows.reduce((sum, row, i) => sum + row.filter((item) => truth[i].has(item)).length, 0)
  }
  const recall = found / (queries.length * K)
  const [time, scan] = [spread(times), spread(scans)]
  say(
    `  ${JSON.stringify(setting)}: recall ${recall.toFixed(4)}, ${time.median.toFixed(3)} ms, ${((100 * time.median) / scan.median).toFixed(1)} % of the exact scan's ${scan.median.toFixed(2)}`,
  )
  return { setting, recall, milliseconds: time, exact: scan }
}

/** What was measured of the others before stays. */
function write(result) {
  const before = existsSync(name) ? JSON.parse(readFileSync(name, 'utf8')) : { contenders: [] }
  const results = {
    ...{ machine: machine(), data: about, k: K, queries: queries.length, rounds: ROUNDS },
    contenders: [...before.contenders.filter((other) => other.name !== result.name), result],
  }
  mkdirSync(new URL('.', `file://${name}`), { recursive: true })
  writeFileSync(name, `${JSON.stringify(results, rounded, 1)}\n`)
}

function floats(file) {
  const bytes = readFileSync(`${folder}/${file}`)
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
}

/** Six digits of a measurement are more than it has. */
function rounded(_, value) {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value
}

function say(line) {
  process.stdout.write(`${line}\n`)
}
