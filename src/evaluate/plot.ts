import type * as Library from '@observablehq/plot'
import type { SystemReport } from './evaluate.ts'
import type { MeasureName } from './measures.ts'

/** One colour a system, the first the warm one; those of the plots in docs/performance.md, and more. */
const COLORS = ['#d1495b', '#00798c', '#2e4057', '#66a182', '#edae49', '#8d5a97']

/** Pixels from one system's points to the next one's. */
const BESIDE = 6

/** What is drawn, a panel each. */
const PANELS: readonly (readonly [MeasureName, string])[] = [
  ['recall', 'recall'],
  ['ndcg', 'NDCG'],
  ['hitRate', 'hit rate'],
]

/** A point of the plot. */
interface Point {
  readonly system: string
  readonly panel: string
  readonly k: number
  readonly mean: number
  readonly low: number
  readonly high: number
}

/**
 * Recall, NDCG and hit rate by the length of lists as SVG: a panel each, a line a system, its interval beside each point.
 * @param Plot Observable Plot
 * @param document what it draws into
 */
export function evaluationPlot(systems: readonly SystemReport[], Plot: typeof Library, document: Document): string {
  const points = systems.flatMap(({ system, at }) =>
    at.flatMap(({ k, measures }) => PANELS.map(([name, panel]): Point => ({ system, panel, k, ...measures[name] }))),
  )
  const names = systems.map(({ system }) => system)
  const color = (i: number) => COLORS[i % COLORS.length]
  const ks = [...new Set(points.map(({ k }) => k))]
  const [, last] = PANELS[PANELS.length - 1]
  const channels = { fx: 'panel', x: 'k', stroke: 'system' }
  const svg = Plot.plot({
    ...{
      document,
      width: 210 + 240 * PANELS.length,
      height: 300,
      marginRight: 150,
      marginLeft: 50,
      inset: 8,
    },
    style: { background: 'white', color: '#222' },
    color: { domain: names, range: names.map((_, i) => color(i)) },
    fx: { label: null, domain: PANELS.map(([, panel]) => panel) },
    x: {
      type: 'log',
      inset: 8 + (BESIDE * names.length) / 2,
      label: 'k →',
      ticks: ks,
      tickFormat: (k: number) => k.toLocaleString('en'),
    },
    y: { label: null, grid: true, domain: [0, Math.max(...points.map(({ high }) => high))], nice: true },
    marks: [
      Plot.frame({ stroke: '#ccc' }),
      ...names.flatMap((name, i) => {
        const own = points.filter(({ system }) => system === name)
        // Systems that are nearly alike stand beside each other, not on one another.
        const dx = BESIDE * (i - (names.length - 1) / 2)
        return [
          Plot.ruleX(own, { ...channels, dx, y1: 'low', y2: 'high', strokeWidth: 3, strokeOpacity: 0.35 }),
          Plot.line(own, { ...channels, dx, y: 'mean', marker: 'dot' }),
        ]
      }),
      ...names.map((name, i) =>
        Plot.text([name.length > 20 ? `…${name.slice(-19)}` : name], {
          ...{ fx: [last], text: (label: string) => label, fill: color(i), fontWeight: 'bold' },
          ...{ frameAnchor: 'top-right', textAnchor: 'start', dx: 12, dy: 8 + 15 * i },
        }),
      ),
    ],
  })
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  return `${svg.outerHTML}\n`
}
