import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as Plot from '@observablehq/plot'
import { draw } from './plots.mjs'
import { digits, table } from './tables.mjs'

const RESULTS = fileURLToPath(new URL('../results/ann/', import.meta.url))
const COLORS = {
  twotower: '#d1495b',
  ScaNN: '#edae49',
  'FAISS OPQ + IVF-PQ fastscan': '#2e4057',
  'FAISS IVF-PQ fastscan': '#8d96a3',
  'FAISS HNSW': '#00798c',
  usearch: '#66a182',
  'hnswlib-node': '#9b5de5',
}
const SETS = {
  shop: 'items of a made-up shop, by a trained tower',
  words: "GloVe's words",
}
/** Less than that nobody wants. */
const LEAST = 0.7

/** Each set of vectors that was searched approximately: its Markdown, and its plot. */
export function approximate() {
  const files = existsSync(RESULTS) ? readdirSync(RESULTS).filter((file) => file.endsWith('.json')) : []
  return files.sort().map((file) => {
    const name = `ann-${file.replace('.json', '')}`
    const results = JSON.parse(readFileSync(`${RESULTS}${file}`, 'utf8'))
    return { name, text: section(name, results), svg: plot(results) }
  })
}

function section(name, { machine, data, k, queries, rounds, contenders }) {
  const rows = contenders.map(({ name: one, version, seconds, bytes, points }) => {
    const most = Math.max(...points.map((point) => point.recall))
    const at = [0.9, 0.95, 0.99].map((recall) => fastest(points, recall))
    return [`${one} ${version}`, `${digits(seconds)} s`, `${digits(bytes / 1e6)} MB`, ...at.map(told), most.toFixed(3)]
  })
  const together = contenders.every(({ run }) => run === contenders[0].run)
  const sentences = [
    `${data.items.toLocaleString('en')} × ${data.width}, ${data.metric}, ${queries} queries one after the other${together ? ', all engines in turns in one run' : ''}; ${machine.date}, one core of ${machine.cores} (${machine.cpu}), ${machine.runtime.name} ${machine.runtime.version}.`,
    `The least time at which so many of the ${k} nearest are found, as a share of the exact scan's, with which each setting took turns ${rounds} times, and in ms; and the most that were found.`,
    data.metric === 'dot' && 'HNSW has an inner product as distances of vectors one longer.',
    'Times are those that a core was taken for. What an index holds is with its vectors.',
  ]
  return [
    `## Approximate search: ${SETS[data.name] ?? data.name}`,
    sentences.filter((sentence) => sentence !== false).join(' '),
    `![recall and time](performance/${name}.svg)`,
    table(['engine', 'built in', 'holds', 'recall@10 ≥ 0.9', '≥ 0.95', '≥ 0.99', 'most'], rows),
    '',
  ].join('\n\n')
}

const share = ({ milliseconds, exact }) => milliseconds.median / exact.median

function fastest(points, recall) {
  return points.filter((point) => point.recall >= recall).sort((a, b) => share(a) - share(b))[0]
}

const told = (point) =>
  point === undefined ? '' : `${(100 * share(point)).toFixed(1)} % (${digits(point.milliseconds.median)} ms)`

/** Queries in the time of one exact scan against recall: what nothing else beats in both, of each engine. */
function plot({ contenders }) {
  const points = contenders.flatMap(({ name, points: all }) =>
    all
      .filter((point) => point.recall >= LEAST)
      .filter((point) => !all.some((other) => other.recall > point.recall && share(other) <= share(point)))
      .sort((a, b) => a.recall - b.recall)
      .map((point) => ({ engine: name, recall: point.recall, queries: 1 / share(point) })),
  )
  const names = Object.keys(COLORS).filter((name) => points.some(({ engine }) => engine === name))
  return draw({
    marginRight: 210,
    x: { label: 'recall@10 →', domain: [LEAST, 1], grid: true },
    y: { type: 'log', label: '↑ queries in the time of one exact scan', grid: true, tickFormat: 'd' },
    color: { domain: Object.keys(COLORS), range: Object.values(COLORS) },
    marks: [
      Plot.line(points, { x: 'recall', y: 'queries', stroke: 'engine', marker: 'dot' }),
      ...names.map((name, i) =>
        Plot.text([name], {
          ...{ text: [name], fill: COLORS[name], fontWeight: 'bold' },
          ...{ frameAnchor: 'top-right', textAnchor: 'start', dx: 12, dy: 8 + 15 * i },
        }),
      ),
    ],
  })
}
