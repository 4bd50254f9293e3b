import type { Layer, Opened, PartView } from '../protocol.ts'
import { drawn, element } from './element.ts'

// The model drawn: each tower grows from its features up to its embedding, and the similarity joins them on top.

/** Heights in pixels: of a layer, the gap above it, a feature's line, and the similarity's room. */
const [LAYER, GAP, LINE, ROOF] = [30, 7, 17, 74]
/** Lines of features that are shown. */
const MOST_FEATURES = 8

/** The figure; `resize` draws it anew for a width. */
export function towersFigure(opened: Opened): { readonly root: HTMLElement; resize(): void } {
  const svg = drawn('svg', { role: 'img', class: 'towers' })
  const root = element('figure', { class: 'drawing' }, svg)
  return {
    root,
    resize() {
      const width = Math.max(260, Math.min(root.clientWidth, 560))
      draw(svg, opened, width)
    },
  }
}

function draw(svg: SVGSVGElement, opened: Opened, width: number): void {
  const sides = [opened.query, opened.candidate].filter((part) => part !== null)
  const each = (width - 24) / 2
  const tallest = Math.max(...sides.map((part) => stackOf(part).length), 0)
  const lines = Math.max(...sides.map((part) => featureLines(part).length), 0)
  const ground = ROOF + tallest * (LAYER + GAP) + 8
  const height = ground + lines * LINE + 18
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`)
  svg.setAttribute('width', String(width))
  svg.setAttribute('height', String(height))
  svg.replaceChildren(drawn('title', {}, described(opened)))
  const tops: (readonly [number, number])[] = []
  for (const part of sides) {
    const left = part.name === 'query' ? 0 : width - each
    const middle = sides.length === 1 ? width / 2 : left + each / 2
    const top = tower(svg, part, middle, each - 8, ground)
    tops.push([middle, top])
  }
  const words = opened.similarityWords ?? (opened.items === null ? 'similarity not known' : '')
  for (const [x, y] of tops)
    svg.append(
      drawn('path', { class: 'beam', d: `M${x} ${y - 4} C${x} ${ROOF - 34} ${width / 2} ${y} ${width / 2} ${46}` }),
    )
  svg.append(
    drawn('rect', { class: 'joint', x: width / 2 - half(words), y: 14, width: 2 * half(words), height: 32, rx: 16 }),
    drawn('text', { class: 'joint-words', x: width / 2, y: 35, 'text-anchor': 'middle' }, words),
  )
}

const half = (words: string): number => Math.max(30, words.length * 3.9 + 14)

/** The layers from the ground up, the widest first of equal ones; what does not change the width is a line. */
const stackOf = (part: PartView): readonly Layer[] => part.layers.slice(-7)

const featureLines = (part: PartView): string[] => {
  const names = part.fields.map(({ name }) => name)
  const rest = names.length - MOST_FEATURES
  return rest > 0 ? [...names.slice(0, MOST_FEATURES - 1), `and ${rest + 1} more`] : names
}

/** Draws a tower whose lowest layer stands on `ground`; the height of its top. */
function tower(svg: SVGSVGElement, part: PartView, middle: number, room: number, ground: number): number {
  const stack = stackOf(part)
  const widest = Math.max(...stack.map(({ width }) => width), 1)
  let y = ground
  for (const { words, width } of stack) {
    // The root keeps small layers readable.
    const wide = Math.max(136, room * Math.sqrt(width / widest))
    const shown = Math.min(room, wide)
    y -= LAYER + GAP
    const x = middle - shown / 2
    svg.append(
      drawn('rect', { class: `layer ${part.name}`, x, y, width: shown, height: LAYER, rx: 4 }),
      drawn('text', { class: 'layer-words', x: x + 10, y: y + 19.5 }, words),
      drawn(
        'text',
        { class: 'layer-width', x: x + shown - 10, y: y + 19.5, 'text-anchor': 'end' },
        width > 0 ? String(width) : '',
      ),
    )
  }
  for (const [i, name] of featureLines(part).entries())
    svg.append(
      drawn(
        'text',
        { class: 'feature-name', x: middle, y: ground + 16 + i * LINE, 'text-anchor': 'middle' },
        cut(name, room),
      ),
    )
  return y
}

const cut = (name: string, room: number): string => {
  const most = Math.floor(room / 6.6)
  return name.length > most ? `${name.slice(0, most - 1)}…` : name
}

/** The drawing in words. */
export function described({ query, candidate, similarityWords }: Opened): string {
  const side = (part: PartView | null, name: string): string =>
    part === null
      ? `There is no ${name} tower.`
      : `The ${name} tower takes ${part.fields.map((field) => field.name).join(', ')}${part.layers.length === 0 ? '' : ` through ${part.layers.map(({ words, width }) => `${words} of ${width}`).join(', ')}`}.`
  return `${side(query, 'query')} ${side(candidate, 'candidate')} They are compared by ${similarityWords ?? 'a similarity that is not known'}.`
}
