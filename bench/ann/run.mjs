// node bench/ann/run.mjs FOLDER [--python PATH[,PATH]] [--queries N] [--only NAME,NAME]
//
// Approximate search beside its peers, in one run: which of the ten nearest are found, and how long a query takes, on the
// vectors that embed.py or words.mjs left in FOLDER. Writes bench/results/ann/ and its section of docs/performance.md.
// README.md says how.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
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

/** When this run began: what has the same was measured in turns. */
const started = new Date().toISOString()
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
const makers = {
  ...(await ours(data)),
  usearch: () => usearch(near),
  'hnswlib-node': () => hnswlib(near),
  'FAISS IVF-PQ fastscan': () => python(pythons, 'FAISS IVF-PQ fastscan', data),
  'FAISS OPQ + IVF-PQ fastscan': () => python(pythons, 'FAISS OPQ + IVF-PQ fastscan', data),
  'FAISS HNSW': () => python(pythons, 'FAISS HNSW', data),
  ScaNN: () => python(pythons, 'ScaNN', data),
}
const chosen = options.only?.split(',') ?? Object.keys(makers).filter((name) => name !== 'exact')
const unknown = chosen.filter((name) => !(name in makers))
if (unknown.length > 0)
  throw new RangeError(`--only takes ${Object.keys(makers).join(', ')}; got ${unknown.join(', ')}`)

const exact = makers.exact()
say(`the exact answers of ${queries.length} queries over ${all.length / width} × ${width}`)
const truth = queries.map((query) => new Set(exact.search(query)))
const contenders = []
for (const one of chosen) {
  const contender = await makers[one]()
  if (contender.skipped !== undefined) {
    say(`${one} is skipped: ${contender.skipped}`)
    continue
  }
  say(`${one} ${contender.version}, built in ${contender.seconds.toFixed(0)} s`)
  contenders.push({ name: one, ...contender, turns: contender.settings.map((setting) => newTurns(setting)) })
}
// The first time is for what compiles and caches.
for (let round = -1; round < ROUNDS; round++) {
  say(round < 0 ? 'warming up' : `round ${round + 1} of ${ROUNDS}`)
  for (const { run, turns } of contenders) for (const turn of turns) await take(turn, run, round)
}
for (const { close } of contenders) close?.()
write(contenders.map(measured))
const { report } = await import('../report/report.mjs')
await report()

/** A setting of an engine, with what its rounds took. */
function newTurns(setting) {
  return { setting, times: [], scans: [], rows: [] }
}

/** A core's milliseconds a query, and of the exact scan just before it: what slows the core slows both. */
async function take(turn, run, round) {
  const start = cpuMilliseconds()
  for (let i = 0; i < SCANNED; i++) exact.search(queries[((round + 1) * SCANNED + i) % queries.length])
  const scan = (cpuMilliseconds() - start) / SCANNED
  const { rows, milliseconds } = await run(turn.setting)
  turn.rows = rows
  if (round < 0) return
  turn.scans.push(scan)
  turn.times.push(milliseconds)
}

function measured({ name, version, seconds, bytes, turns }) {
  const points = turns.map(({ setting, times, scans, rows }) => {
    const found = rows.reduce((sum, row, i) => sum + row.filter((item) => truth[i].has(item)).length, 0)
    const recall = found / (queries.length * K)
    const [time, scan] = [spread(times), spread(scans)]
    const share = ((100 * time.median) / scan.median).toFixed(1)
    say(`${name} ${JSON.stringify(setting)}: recall ${recall.toFixed(4)}, ${time.median.toFixed(3)} ms, ${share} %`)
    return { setting, recall, milliseconds: time, exact: scan }
  })
  return { name, version, seconds, bytes, run: started, points }
}

/** Of a run of some only, what was measured of the others before stays. */
function write(results) {
  const path = fileURLToPath(new URL(`../results/ann/${about.name}-${process.arch}.json`, import.meta.url))
  const before = options.only !== undefined && existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).contenders : []
  const kept = before.filter(({ name }) => !results.some((result) => result.name === name))
  mkdirSync(dirname(path), { recursive: true })
  const of = { machine: machine(), data: about, k: K, queries: queries.length, rounds: ROUNDS }
  writeFileSync(path, `${JSON.stringify({ ...of, contenders: [...results, ...kept] }, rounded, 1)}\n`)
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
