import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'

/** One colour a contender in every plot; twotower's are the warm ones. */
const COLORS = {
  twotower: '#d1495b',
  'twotower int8': '#edae49',
  'tfjs-wasm': '#00798c',
  'tfjs-cpu': '#8d96a3',
  'onnxruntime-web': '#2e4057',
  'onnxruntime-node': '#66a182',
}
const COLOR = { domain: Object.keys(COLORS), range: Object.values(COLORS) }

/** Of one runtime's results: SVGs by name. */
export async function plots({ towers, scan }) {
  return {
    ...(towers === undefined ? {} : { latency: latency(towers), gflops: gflops(towers) }),
    ...(scan === undefined ? {} : { scan: scanTime(scan) }),
  }
}

function latency(entries) {
  const points = entries.flatMap(({ tower, batch, timings }) =>
    engines(timings).map((engine) => ({ tower, batch, engine, us: timings[engine].median })),
  )
  return draw({
    fx: { label: 'tower' },
    x: { type: 'log', label: 'rows a call →', ticks: batches(entries), tickFormat: 'd' },
    y: { type: 'log', label: '↑ µs a call', grid: true },
    marks: [
      Plot.line(points, { fx: 'tower', x: 'batch', y: 'us', stroke: 'engine', marker: 'dot' }),
      legend(points, { fx: [points.at(-1).tower] }),
    ],
  })
}

function gflops(entries) {
  const all = entries.flatMap(({ tower, batch, gflops: measured }) =>
    Object.entries(measured).map(([engine, value]) => ({ tower, batch, engine, value })),
  )
  const points = all.filter(({ engine }) => engine in COLORS)
  const roofs = all.filter(({ engine }) => !(engine in COLORS))
  return draw({
    fx: { label: 'tower' },
    x: { type: 'log', label: 'rows a call →', ticks: batches(entries), tickFormat: 'd' },
    y: { label: '↑ GFLOPS', grid: true, zero: true },
    marks: [
      Plot.line(roofs, { fx: 'tower', x: 'batch', y: 'value', z: 'engine', stroke: '#555', strokeDasharray: '4 3' }),
      Plot.text(
        roofs,
        Plot.selectFirst({
          ...{ fx: 'tower', x: 'batch', y: 'value', z: 'engine', text: 'engine' },
          ...{ textAnchor: 'start', dy: -7, fill: '#555' },
        }),
      ),
      Plot.line(points, { fx: 'tower', x: 'batch', y: 'value', stroke: 'engine', marker: 'dot' }),
      legend(points, { fx: [points.at(-1).tower] }),
    ],
  })
}

function scanTime(entries) {
  const points = entries.flatMap(({ rows, timings }) =>
    engines(timings).map((engine) => ({ rows, engine, ms: timings[engine].median / 1000 })),
  )
  return draw({
    width: 560,
    x: { type: 'log', label: 'items of 64 numbers →', tickFormat: '~s' },
    y: { type: 'log', label: '↑ ms a query', grid: true },
    marks: [Plot.line(points, { x: 'rows', y: 'ms', stroke: 'engine', marker: 'dot' }), legend(points, {})],
  })
}

const engines = (timings) => Object.keys(timings).filter((name) => name in COLORS)
const batches = (entries) => [...new Set(entries.map(({ batch }) => batch))]

/** Names in their colours down the right margin. */
function legend(points, facet) {
  const names = Object.keys(COLORS).filter((name) => points.some(({ engine }) => engine === name))
  return names.map((name, i) =>
    Plot.text([name], {
      ...{ ...facet, text: [name], fill: COLORS[name], fontWeight: 'bold' },
      ...{ frameAnchor: 'top-right', textAnchor: 'start', dx: 12, dy: 8 + 15 * i },
    }),
  )
}

/** An SVG of its own, on white. */
export function draw({ marks, ...options }) {
  const { document } = parseHTML('<html><body></body></html>')
  const svg = Plot.plot({
    ...{ document, width: 900, height: 340, marginRight: 130, marginLeft: 60, color: COLOR },
    style: { background: 'white', color: '#222' },
    ...options,
    marks: [Plot.frame({ stroke: '#ccc' }), ...marks],
  })
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  return `${svg.outerHTML}\n`
}
