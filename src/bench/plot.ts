import type * as Library from '@observablehq/plot'
import type { Entry, PartReport } from './bench.ts'

/** One colour an engine, ours the warm one; those of the plots in docs/performance.md. */
const COLORS: Readonly<Record<string, string>> = {
  twotower: '#d1495b',
  'tfjs-wasm': '#00798c',
  'onnxruntime-web': '#2e4057',
  'onnxruntime-node': '#66a182',
}

/** A point of the plot. */
interface Point extends Entry {
  readonly part: string
  readonly rows: number
}

/**
 * Latency by batch as SVG: a panel a part, a line an engine; whole requests are drawn through, layers alone dashed.
 * @param Plot Observable Plot
 * @param document what it draws into
 */
export function latencyPlot(parts: readonly PartReport[], Plot: typeof Library, document: Document): string {
  const points = parts.flatMap(({ part, batches }) =>
    batches.flatMap(({ rows, entries }) => entries.map((entry): Point => ({ ...entry, part, rows }))),
  )
  const engines = Object.keys(COLORS).filter((name) => points.some(({ engine }) => engine === name))
  const sizes = [...new Set(points.map(({ rows }) => rows))].sort((a, b) => a - b)
  const [last] = parts.slice(-1)
  const line = (measured: Entry['measured'], dashes: string) =>
    Plot.line(
      points.filter((point) => point.measured === measured),
      { fx: 'part', x: 'rows', y: 'median', z: 'engine', stroke: 'engine', strokeDasharray: dashes, marker: 'dot' },
    )
  const label = (text: string, color: string, row: number) =>
    Plot.text([text], {
      ...{ fx: [last.part], text: [text], fill: color, fontWeight: 'bold' },
      ...{ frameAnchor: 'top-right', textAnchor: 'start', dx: 12, dy: 8 + 15 * row },
    })
  const marks = [
    Plot.frame({ stroke: '#ccc' }),
    line('request', ''),
    line('layers', '4 3'),
    ...engines.map((name, i) => label(name, COLORS[name], i)),
    label('— whole request', '#555', engines.length + 1),
    label('- - layers alone', '#555', engines.length + 2),
  ]
  const svg = Plot.plot({
    ...{ document, width: 150 + 380 * parts.length, height: 340, marginRight: 140, marginLeft: 60 },
    style: { background: 'white', color: '#222' },
    color: { domain: engines, range: engines.map((name) => COLORS[name]) },
    fx: { label: null, domain: parts.map(({ part }) => part) },
    x: { type: 'log', label: 'rows a call →', ticks: sizes, tickFormat: (size: number) => size.toLocaleString('en') },
    y: { type: 'log', label: '↑ µs a call', grid: true },
    marks,
  })
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  return `${svg.outerHTML}\n`
}
