import { RELAXED } from '../machine.mjs'

const CHILDREN = {
  bare: 'the runtime alone',
  twotower: 'twotower: a bundle to its first embedding',
  tfjs: 'tfjs-wasm: to its first product',
  onnxruntimeweb: 'onnxruntime-web: to the first embedding',
  onnxruntimenode: 'onnxruntime-node: to the first embedding',
}

/** What a call of ours takes, and in brackets how many times as fast it is as tfjs-wasm in turns with it. */
function ours(timings, engine = 'twotower') {
  const timing = timings?.[engine]
  if (timing === undefined) return ''
  const took = timing.median < 10_000 ? `${digits(timing.median)} µs` : `${digits(timing.median / 1000)} ms`
  const theirs = timings['tfjs-wasm']
  return theirs === undefined ? took : `${took} (${ratio(theirs, timing)})`
}

const towerOf = ({ towers }, rows) =>
  towers?.find(({ tower, batch }) => tower === '512-1024-512-256' && batch === rows)?.timings

/** The same work under each runtime; what was not measured is left empty. */
const WORKS = {
  'tower 512-1024-512-256, one row': (results) => ours(towerOf(results, 1)),
  'the same in int8': (results) => ours(towerOf(results, 1), 'twotower int8'),
  'tower 512-1024-512-256, 1,024 rows': (results) => ours(towerOf(results, 1024)),
  'the same in int8, 1,024 rows': (results) => ours(towerOf(results, 1024), 'twotower int8'),
  'top 100 of 1,000,000 × 64': ({ scan }) => ours(scan?.find(({ rows }) => rows === 1_000_000)?.timings),
  'a request of the demo, one row': ({ request }) => ours(request?.[0].timings),
  'a request of the demo, 1,024 rows': ({ request }) => ours(request?.[1].timings),
  'the same with int8 towers, 1,024 rows': ({ request }) => ours(request?.[1].timings, 'twotower int8'),
  'process start to the first embedding, above the runtime alone': ({ start }) => {
    const entry = start?.results.find(({ name }) => name === 'twotower')
    return entry === undefined ? '' : `${digits(entry.above.milliseconds)} ms`
  },
}

/** All runtimes in one table. */
export function sideBySide(all) {
  const head = ['twotower (times tfjs-wasm)', ...all.map(({ machine: { runtime } }) => title(runtime))]
  const rows = Object.entries(WORKS).map(([what, of]) => [what, ...all.map(of)])
  return `## The runtimes side by side\n\n${table(head, rows)}\n`
}

const title = ({ name, version, relaxed }) =>
  `${name[0].toUpperCase()}${name.slice(1)} ${version}${relaxed ? ' with relaxed SIMD' : ''}`

/** The results of one runtime as Markdown. */
export function section(name, results, plots) {
  const { machine, effort, skipped } = results
  const { runtime } = machine
  const parts = [
    `## ${title(runtime)}`,
    ...(runtime.relaxed ? [`Started as \`${runtime.name} ${RELAXED}\`.`] : []),
    `${machine.date}, one core of ${machine.cores} (${machine.cpu}, ${machine.platform}). Medians of ${effort.rounds} rounds in turns; in brackets the quartiles.`,
    ...Object.entries(skipped).map(([peer, why]) => `Without ${peer}: ${why}.`),
    ...plots.map((plot) => `![${plot}](performance/${name}-${plot}.svg)`),
    ...(results.towers === undefined ? [] : towers(results.towers)),
    ...(results.scan === undefined ? [] : ['### Exact search: top 100 of N × 64', scan(results.scan)]),
    ...(results.request === undefined ? [] : ['### A request of the demo, raw features in', request(results.request)]),
    ...(results.start === undefined ? [] : ['### From process start to the first embedding', start(results.start)]),
    ...(results.sizes === undefined ? [] : ['### Download, gzip', sizes(results.sizes)]),
  ]
  return `${parts.join('\n\n')}\n`
}

function towers(entries) {
  return [...new Set(entries.map(({ tower }) => tower))].flatMap((tower) => [
    `### Tower ${tower}, float32`,
    table(
      ['batch', 'engine', 'µs a call', 'GFLOPS', 'of the roof', '× tfjs-wasm'],
      entries
        .filter((entry) => entry.tower === tower)
        .flatMap(({ batch, timings, gflops }) => {
          const roof = Math.max(
            ...Object.keys(gflops)
              .filter(isRoof)
              .map((name) => gflops[name]),
          )
          return Object.entries(timings).map(([name, timing]) => [
            batch,
            name,
            isRoof(name) ? '' : range(timing),
            gflops[name].toFixed(1),
            isRoof(name) || name === NATIVE ? '' : `${((100 * gflops[name]) / roof).toFixed(0)} %`,
            isRoof(name) ? '' : ratio(timings['tfjs-wasm'], timing),
          ])
        }),
    ),
  ])
}

/** The roof is WebAssembly's; native code has wider vectors. */
const NATIVE = 'onnxruntime-node'

const isRoof = (name) => name.startsWith('roof')

const scan = (entries) =>
  table(
    ['N', 'engine', 'ms a query', '× tfjs-wasm'],
    entries.flatMap(({ rows, timings }) =>
      Object.entries(timings).map(([name, timing]) => [
        rows.toLocaleString('en'),
        name,
        range(timing, 1000),
        ratio(timings['tfjs-wasm'], timing),
      ]),
    ),
  )

const request = (entries) =>
  table(
    ['rows', 'engine', 'µs a call', 'rows/s', '× TensorFlow'],
    entries.flatMap(({ batch, timings, tensorflow }) =>
      Object.entries(timings).map(([name, timing]) => [
        batch.toLocaleString('en'),
        name === 'TensorFlow' ? `TensorFlow ${tensorflow} in Python` : name,
        range(timing),
        Math.round((batch / timing.median) * 1e6).toLocaleString('en'),
        ratio(timings.TensorFlow, timing),
      ]),
    ),
  )

const start = ({ results, modelMebibytes }) =>
  `${table(
    ['process', 'ms', 'above the runtime, ms', 'resident above it, MiB'],
    results.map(({ name, milliseconds, above }) => [
      CHILDREN[name],
      range(milliseconds),
      name === 'bare' ? '' : above.milliseconds.toFixed(1),
      name === 'bare' ? '' : above.mebibytes.toFixed(1),
    ]),
  )}\n\nThe bundle's weights are ${modelMebibytes.toFixed(1)} MiB of it.`

const sizes = (entries) =>
  table(
    ['what', 'KiB'],
    Object.entries(entries).map(([name, bytes]) => [name, (bytes / 1024).toFixed(1)]),
  )

/** `median (quartile – quartile)`, three digits each. */
const range = ({ median, low, high }, divisor = 1) =>
  `${digits(median / divisor)} (${digits(low / divisor)} – ${digits(high / divisor)})`

export const digits = (value) => (value >= 1000 ? Math.round(value).toLocaleString('en') : Number(value.toPrecision(3)))

const ratio = (theirs, timing) => (theirs === undefined ? '' : (theirs.median / timing.median).toFixed(2))

/** Markdown with columns of one width, as the project's formatter writes them. */
export function table(head, rows) {
  const all = [head, ...rows].map((row) => row.map(String))
  const widths = head.map((_, i) => Math.max(3, ...all.map((row) => row[i].length)))
  const line = (row) => `| ${row.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`
  return [line(all[0]), line(widths.map((width) => '-'.repeat(width))), ...all.slice(1).map(line)].join('\n')
}
