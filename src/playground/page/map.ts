import type { ItemsView, Ranking } from '../protocol.ts'
import { element, freshId } from './element.ts'

// The items on a plane, drawn on a plain canvas: 50,000 points take a few milliseconds, and nothing is downloaded for it.

/** Pixels: margin, and how far from a point the pointer may be. */
const [MARGIN, NEAR] = [26, 14]
/** Milliseconds that the query takes to its new place. */
const MOVE = 260
/** The best that bear their rank. */
const NUMBERED = 10

type Point = readonly [number, number]

export interface ItemMap {
  readonly root: HTMLElement
  /** Draws anew: the size, the colours or the items have changed. */
  redraw(): void
  show(ranking: Ranking, picked: number | null): void
}

/** @param pick told of the item that was clicked */
export function itemMap(items: ItemsView, pick: (item: number) => void): ItemMap {
  const aboutId = freshId('map')
  const canvas = element('canvas', { role: 'img', 'aria-labelledby': aboutId })
  const tip = element('p', { class: 'tip', 'aria-hidden': 'true', hidden: true })
  const about = element('p', { id: aboutId, class: 'visually-hidden' })
  const root = element('div', { class: 'map' }, canvas, tip, about)
  const { points, placed, labels } = items
  const bounds = boundsOf(points)
  const rowOf = new Map(Array.from(placed, (item, row) => [item, row]))
  let [ranking, picked, hovered]: [Ranking | null, number | null, number | null] = [null, null, null]
  let [at, from, since]: [Point | null, Point | null, number] = [null, null, 0]
  /** The points alone, kept until the size or the colours change. */
  let ground: HTMLCanvasElement | null = null

  const size = () => ({ width: canvas.clientWidth, height: canvas.clientHeight })
  const screen = ([x, y]: Point): Point => {
    const { width, height } = size()
    const scale = Math.min((width - 2 * MARGIN) / bounds.width, (height - 2 * MARGIN) / bounds.height)
    const place = (value: number, middle: number, room: number) =>
      Math.min(room - 12, Math.max(12, room / 2 + (value - middle) * scale))
    return [place(x, bounds.x, width), place(-y, -bounds.y, height)]
  }
  const pointOf = (item: number): Point | null => {
    const row = rowOf.get(item)
    return row === undefined ? null : screen([points[2 * row], points[2 * row + 1]])
  }

  const drawGround = (ratio: number): HTMLCanvasElement => {
    const made = element('canvas')
    made.width = canvas.width
    made.height = canvas.height
    const context = made.getContext('2d')!
    context.scale(ratio, ratio)
    context.fillStyle = colour('--point')
    context.globalAlpha = placed.length > 5000 ? 0.35 : 0.6
    const side = placed.length > 20_000 ? 1.5 : 2.6
    for (let i = 0; i < placed.length; i++) {
      const [x, y] = screen([points[2 * i], points[2 * i + 1]])
      context.beginPath()
      context.arc(x, y, side / 2, 0, 2 * Math.PI)
      context.fill()
    }
    return made
  }

  const draw = (): void => {
    const { width, height } = size()
    if (width === 0) return
    const ratio = devicePixelRatio
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio)
      canvas.height = Math.round(height * ratio)
      ground = null
    }
    ground ??= drawGround(ratio)
    const context = canvas.getContext('2d')!
    context.setTransform(1, 0, 0, 1, 0, 0)
    context.clearRect(0, 0, canvas.width, canvas.height)
    context.drawImage(ground, 0, 0)
    context.scale(ratio, ratio)
    const hits = ranking?.hits.slice(0, NUMBERED) ?? []
    const landed = ranking?.point ?? null
    const now = landed === null ? null : moved(landed)
    for (const { item } of hits) {
      const point = pointOf(item)
      if (point === null || now === null) continue
      context.strokeStyle = colour('--candidate')
      context.globalAlpha = 0.28
      line(context, screen(now), point)
    }
    context.globalAlpha = 1
    // The first last, so that it lies on top.
    for (const { item, rank } of [...hits].reverse()) {
      const point = pointOf(item)
      if (point !== null) numbered(context, point, String(rank))
    }
    for (const item of [picked, hovered]) {
      const point = item === null ? null : pointOf(item)
      if (point === null) continue
      context.strokeStyle = colour('--ink')
      context.lineWidth = 2
      circle(context, point, 11)
      context.stroke()
    }
    if (now !== null) diamond(context, screen(now))
    if (landed !== null && now !== landed) requestAnimationFrame(draw)
  }

  const moved = (landed: Point): Point => {
    at = landed
    if (from === null || matchMedia('(prefers-reduced-motion: reduce)').matches) return landed
    const part = Math.min(1, (performance.now() - since) / MOVE)
    if (part === 1) return landed
    const eased = 1 - (1 - part) ** 3
    return [from[0] + (landed[0] - from[0]) * eased, from[1] + (landed[1] - from[1]) * eased]
  }

  const nearest = (event: PointerEvent): number | null => {
    const { left, top } = canvas.getBoundingClientRect()
    const [x, y] = [event.clientX - left, event.clientY - top]
    let [best, found]: [number, number | null] = [NEAR * NEAR, null]
    for (let i = 0; i < placed.length; i++) {
      const [a, b] = screen([points[2 * i], points[2 * i + 1]])
      const distance = (a - x) ** 2 + (b - y) ** 2
      if (distance < best) [best, found] = [distance, placed[i]]
    }
    return found
  }
  const hover = (item: number | null): void => {
    if (item === hovered) return
    hovered = item
    const point = item === null ? null : pointOf(item)
    tip.hidden = point === null
    canvas.classList.toggle('pointing', point !== null)
    if (point !== null && item !== null) {
      const rank = ranking?.hits.find((hit) => hit.item === item)?.rank
      tip.textContent = `${labels[item]}${rank === undefined ? '' : ` · rank ${rank}`}`
      const [x, y] = point
      tip.style.setProperty(
        'left',
        `${Math.max(tip.offsetWidth / 2, Math.min(x, size().width - tip.offsetWidth / 2))}px`,
      )
      tip.style.setProperty('top', `${y}px`)
      tip.classList.toggle('below', y < 48)
    }
    draw()
  }
  canvas.addEventListener('pointermove', (event) => hover(nearest(event)))
  canvas.addEventListener('pointerleave', () => hover(null))
  canvas.addEventListener('click', (event) => {
    const item = nearest(event as PointerEvent)
    if (item !== null) pick(item)
  })

  return {
    root,
    redraw() {
      ground = null
      draw()
    },
    show(next, chosen) {
      from = ranking?.point ?? at
      since = performance.now()
      ranking = next
      picked = chosen
      const best = next.hits.slice(0, 3).map(({ item }) => labels[item])
      about.textContent = `Map of ${placed.length} items, by the two directions in which their embeddings differ most. The query lies nearest to ${best.join(', ')}.`
      draw()
    },
  }
}

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

function boundsOf(points: Float32Array) {
  let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity]
  for (let i = 0; i < points.length; i += 2) {
    ;[left, right] = [Math.min(left, points[i]), Math.max(right, points[i])]
    ;[low, high] = [Math.min(low, points[i + 1]), Math.max(high, points[i + 1])]
  }
  return { x: (left + right) / 2, y: (low + high) / 2, width: right - left || 1, height: high - low || 1 }
}

function line(context: CanvasRenderingContext2D, [a, b]: Point, [x, y]: Point): void {
  context.lineWidth = 1
  context.beginPath()
  context.moveTo(a, b)
  context.lineTo(x, y)
  context.stroke()
}

function circle(context: CanvasRenderingContext2D, [x, y]: Point, radius: number): void {
  context.beginPath()
  context.arc(x, y, radius, 0, 2 * Math.PI)
}

function numbered(context: CanvasRenderingContext2D, point: Point, rank: string): void {
  context.fillStyle = colour('--candidate')
  circle(context, point, 8.5)
  context.fill()
  context.lineWidth = 1.5
  context.strokeStyle = colour('--sheet')
  context.stroke()
  context.fillStyle = colour('--sheet')
  context.font = '600 10px system-ui, sans-serif'
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  context.fillText(rank, point[0], point[1] + 0.5)
}

/** The query: another shape than items, not another colour alone. */
function diamond(context: CanvasRenderingContext2D, [x, y]: Point): void {
  context.beginPath()
  context.moveTo(x, y - 11)
  context.lineTo(x + 11, y)
  context.lineTo(x, y + 11)
  context.lineTo(x - 11, y)
  context.closePath()
  context.fillStyle = colour('--query')
  context.fill()
  context.lineWidth = 2.5
  context.strokeStyle = colour('--sheet')
  context.stroke()
}
