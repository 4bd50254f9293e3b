import type { Hit, ItemsView, Ranking } from '../protocol.ts'
import { element } from './element.ts'
import { countText, scoresText } from './words.ts'

export interface RankingList {
  readonly root: HTMLElement
  show(ranking: Ranking, picked: number | null): void
}

/** The best items in their order, each to be chosen. @param pick told of the item that was chosen */
export function rankingList(items: ItemsView, pick: (item: number) => void): RankingList {
  const rows = new Map<number, HTMLElement>()
  const list = element('ol', { class: 'hits', 'aria-label': 'Nearest items' })
  const pinned = element('div', { class: 'pinned', hidden: true })
  let before = new Map<number, number>()

  const rowOf = (item: number): HTMLElement => {
    let row = rows.get(item)
    if (row === undefined) {
      row = element(
        'li',
        {},
        hitButton(items.labels[item], () => pick(item)),
      )
      rows.set(item, row)
    }
    return row
  }

  return {
    root: element('div', { class: 'ranking' }, list, pinned),
    show({ hits, pinned: chosen }, picked) {
      const places = new Map([...list.children].map((row) => [row, (row as HTMLElement).offsetTop]))
      const focused = document.activeElement
      const look = { spread: spreadOf(hits), score: scoresText(hits.map(({ score }) => score)) }
      list.replaceChildren(
        ...hits.map((hit) => {
          const row = rowOf(hit.item)
          fill(row, hit, look, before.size === 0 ? null : (before.get(hit.item) ?? Infinity), hit.item === picked)
          return row
        }),
      )
      // Rows that were moved have lost it.
      if (focused instanceof HTMLElement && list.contains(focused)) focused.focus({ preventScroll: true })
      slide(list, places)
      before = new Map(hits.map(({ item, rank }) => [item, rank]))
      pinned.hidden = chosen === null || chosen.rank <= hits.length
      if (chosen !== null && !pinned.hidden) {
        const row = element(
          'div',
          {},
          hitButton(items.labels[chosen.item], () => pick(chosen.item)),
        )
        fill(row, chosen, look, null, true)
        pinned.replaceChildren(element('p', { class: 'gap', 'aria-hidden': 'true' }, '⋮'), row)
      }
    },
  }
}

function hitButton(label: string, click: () => void): HTMLButtonElement {
  return element(
    'button',
    { type: 'button', class: 'hit', click },
    element('span', { class: 'rank' }),
    element('span', { class: 'label' }, label),
    element('span', { class: 'moved' }),
    element('span', { class: 'score' }),
    element('span', { class: 'level', 'aria-hidden': 'true' }),
  )
}

/** How the scores of a list are shown beside each other. */
interface Look {
  readonly spread: (score: number) => number
  readonly score: (score: number) => string
}

function fill(row: HTMLElement, { rank, score }: Hit, look: Look, before: number | null, picked: boolean): void {
  const part = (name: string) => row.querySelector<HTMLElement>(`.${name}`)!
  part('rank').textContent = countText(rank)
  part('score').textContent = look.score(score)
  part('level').style.setProperty('--level', look.spread(score).toFixed(3))
  row.querySelector('button')!.setAttribute('aria-pressed', String(picked))
  const moved = part('moved')
  const by = before === null ? 0 : before - rank
  moved.textContent = before === Infinity ? 'new' : by === 0 ? '' : `${by > 0 ? '↑' : '↓'}${Math.abs(by)}`
  moved.className = `moved ${by > 0 ? 'up' : 'down'}`
  if (by !== 0 && before !== Infinity) moved.setAttribute('aria-label', `${by > 0 ? 'up' : 'down'} ${Math.abs(by)}`)
  else moved.removeAttribute('aria-label')
  if (moved.textContent !== '') moved.setAttribute('role', 'img')
  else moved.removeAttribute('role')
  if (before === Infinity) moved.setAttribute('aria-label', 'new')
}

/** From 0.08 for the last to 1 for the best: near scores are told apart. */
function spreadOf(hits: readonly Hit[]): (score: number) => number {
  const [best, last] = [hits[0]?.score ?? 0, hits.at(-1)?.score ?? 0]
  return (score) => (best === last ? 1 : Math.max(0.02, 0.08 + (0.92 * (score - last)) / (best - last)))
}

/** Rows glide to their new places. */
function slide(list: HTMLElement, places: ReadonlyMap<Element, number>): void {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return
  for (const row of list.children) {
    const [before, now] = [places.get(row), (row as HTMLElement).offsetTop]
    if (before === undefined) row.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 220, easing: 'ease-out' })
    else if (before !== now)
      row.animate([{ transform: `translateY(${before - now}px)` }, { transform: 'none' }], {
        duration: 260,
        easing: 'cubic-bezier(.2,.7,.2,1)',
      })
  }
}
