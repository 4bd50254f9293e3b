import type { Desk, Members, Opened, PartView, Ranking } from '../protocol.ts'
import { element } from './element.ts'
import { type Form, form } from './form.ts'
import { itemMap } from './map.ts'
import { pairView } from './pair.ts'
import { exampleChoice, finder, mapNotes, notes, outputsOf, panel, signature, stack, withoutItems } from './panels.ts'
import { rankingList } from './ranking.ts'
import { newest } from './remote.ts'
import { snippets } from './snippets.ts'
import { timingsView } from './timings.ts'
import { towersFigure } from './towers.ts'
import { countText, numberText } from './words.ts'

/** Items that are listed. */
const LISTED = 20
/** Milliseconds of rest before a screen reader is told, and before the request is timed. */
const REST = 700

export interface Surroundings {
  readonly desk: Desk
  readonly tfjs: boolean
  /** Tells a screen reader. */
  say(words: string): void
  /** Shows what went wrong; null when all is well again. */
  wrong(error: unknown): void
  /** Opens the model anew: its similarity was chosen. */
  reopened(opened: Opened): void
}

/** A model at work: forms, ranking, map and what stands behind them. */
export interface Workbench {
  readonly root: HTMLElement
  /** Once it is on the page. */
  begin(): void
  /** The width or the colours have changed. */
  redraw(): void
  /** Rows that the visitor had changed, for the same model with other items. */
  rows(): Readonly<Record<string, Members>>
}

export function workbench(opened: Opened, before: Readonly<Record<string, Members>>, around: Surroundings): Workbench {
  const { desk, say } = around
  const { query, candidate, items } = opened
  let picked: number | null = null
  let resting: ReturnType<typeof setTimeout> | undefined

  const parts = new Map<
    string,
    { readonly part: PartView; readonly form: Form; readonly update: () => Promise<void> }
  >()
  const shownOutputs = new Map<string, HTMLElement>()
  const text = snippets(say)
  let asked: PartView | null = query ?? candidate ?? opened.parts[0] ?? null

  const addPart = (part: PartView | null): HTMLElement | null => {
    if (part === null) return null
    const outputs = element('div', { class: 'outputs' })
    const problem = element('p', { class: 'problem', role: 'alert' })
    const key = `${part.kind} ${part.name}`
    const work = newest<void>(async () => {
      const row = made.row()
      try {
        const followed = await desk.follow({ kind: part.kind, name: part.name }, row)
        made.trace(followed.part.inputs)
        outputs.replaceChildren(...outputsOf(followed))
        problem.textContent = ''
        if (part === query) await rank(row)
        if (picked !== null || part === candidate) await compare()
        if (asked === part)
          text.show({ model: opened.name, kind: part.kind, name: part.name, row: await desk.text(row) })
      } catch (error) {
        problem.textContent = (error as Error).message
      }
    })
    const made = form(part, desk, () => {
      asked = part
      if (part === candidate && picked !== null) {
        picked = null
        pairTitle.textContent = 'A candidate of your own'
        if (latest !== null) map?.show(latest, null)
      }
      void work()
    })
    if (before[key] !== undefined) made.fill(before[key])
    parts.set(key, { part, form: made, update: () => work() })
    shownOutputs.set(key, outputs)
    return element('div', { class: 'part' }, made.root, problem, outputs)
  }

  // What a query finds.
  const list = items === null ? null : rankingList(items, (item) => void pick(item))
  const map = items === null ? null : itemMap(items, (item) => void pick(item))
  const timings = timingsView(items?.labels.length ?? null, around.tfjs && query !== null ? () => measure(true) : null)
  let latest: Ranking | null = null
  const rank = async (row: Members): Promise<void> => {
    const ranking = await desk.rank(row, LISTED, picked)
    const first = latest === null
    latest = ranking
    list?.show(ranking, picked)
    map?.show(ranking, picked)
    if (items !== null)
      glance.textContent = ranking.hits
        .slice(0, 3)
        .map(({ item, rank }) => `${rank} ${items.labels[item]}`)
        .join('  ')
    if (first && items?.rows === true && ranking.hits.length > 0) await choose(ranking.hits[0].item)
    clearTimeout(resting)
    resting = setTimeout(() => {
      if (items !== null)
        say(
          `Nearest: ${ranking.hits
            .slice(0, 3)
            .map(({ item }) => items.labels[item])
            .join(', ')}`,
        )
      void measure(false)
    }, REST)
  }
  const measure = async (tfjs: boolean): Promise<void> => {
    const row = parts.get('tower query')?.form.row()
    if (row === undefined) return
    try {
      timings.show(await desk.measure(row, tfjs))
    } catch (error) {
      timings.failed((error as Error).message)
    }
  }

  /** On a phone the ranking lies below the form: this stays in view. */
  const glance = element('a', { class: 'glance', href: '#ranking-panel', 'aria-label': 'To the ranking' })

  // What makes the score of the chosen pair.
  const pair = element('div', {}, element('p', { class: 'aside' }, 'Choose an item in the list or on the map.'))
  const pairTitle = element('h3', { class: 'pair-title' }, 'The candidate as it stands in the form')
  const compare = async (): Promise<void> => {
    const [q, c] = ['tower query', 'tower candidate'].map((key) => parts.get(key)?.form.row())
    if (q === undefined || c === undefined || opened.similarity === null) return
    const score = await desk.compare(q, c)
    if (score !== null) pair.replaceChildren(pairView(score))
  }
  /** Makes an item the candidate. */
  const choose = async (item: number): Promise<void> => {
    if (items === null) return
    picked = item
    const row = await desk.item(item)
    // Another was chosen meanwhile.
    if (picked !== item) return
    pairTitle.textContent = items.labels[item]
    const target = parts.get('tower candidate')
    if (row !== null && target !== undefined) {
      target.form.fill(row)
      void target.update()
    }
    if (latest !== null) {
      list?.show(latest, picked)
      map?.show(latest, picked)
    }
  }
  const pick = async (item: number): Promise<void> => {
    await choose(item)
    await parts.get('tower query')?.update()
    // The ranking is the one that was told, and must not talk over what is told of the item.
    clearTimeout(resting)
    const hit = latest?.hits.find((each) => each.item === item) ?? latest?.pinned
    if (items !== null && hit) say(`${items.labels[item]}: rank ${hit.rank}, score ${numberText(hit.score)}`)
  }

  const figure = towersFigure(opened)
  const root = element(
    'div',
    { class: `workbench${items === null ? ' without-items' : ''}` },
    element('h1', { class: 'visually-hidden' }, `${opened.name} at work`),
    opened.remarks.length > 0 &&
      element('div', { class: 'remarks' }, ...opened.remarks.map((remark) => element('p', {}, remark))),
    query !== null &&
      stack(
        panel('Query', 'query-panel', 'query', [
          opened.examples.length > 0 &&
            exampleChoice(opened, (row) => {
              const target = parts.get('tower query')
              target?.form.fill(row)
              asked = query
              void target?.update()
            }),
          addPart(query),
        ]),
      ),
    stack(
      items !== null && list !== null
        ? panel('Ranking', 'ranking-panel', null, [
            finder(desk, items.labels, (item) => void pick(item)),
            list.root,
            element('p', { class: 'aside' }, `${countText(items.labels.length)} items from ${items.from}`),
          ])
        : query !== null &&
            withoutItems(opened, (metric) => around.desk.choose(metric).then(around.reopened, around.wrong)),
      (query !== null || candidate !== null) && panel('Towers', 'towers-panel', null, [figure.root, notes(opened)]),
    ),
    stack(
      map !== null && items !== null && panel('Map of the items', 'map-panel', null, [map.root, ...mapNotes(items)]),
      query !== null && candidate !== null && panel('The pair', 'pair-panel', null, [pairTitle, pair]),
      query !== null && panel('On this machine', 'timings-panel', null, [timings.root]),
    ),
    candidate !== null && panel('Candidate', 'candidate-panel', 'candidate', [addPart(candidate)]),
    element(
      'div',
      { class: 'row' },
      panel(
        'Signatures',
        'signatures-panel',
        null,
        opened.parts.map((part, i) =>
          signature(opened, part, i === 0 && query === null && candidate === null, addPart),
        ),
      ),
      panel('Take it along', 'snippet-panel', null, [text.root]),
    ),
    items !== null && glance,
  )
  return {
    root,
    begin() {
      figure.resize()
      map?.redraw()
      for (const { part, update } of parts.values()) if (part.kind === 'tower' || asked === part) void update()
      for (const details of root.querySelectorAll<HTMLDetailsElement>('details[data-part]'))
        details.addEventListener('toggle', () => {
          const shown = parts.get(details.dataset.part ?? '')
          if (!details.open || shown === undefined) return
          asked = shown.part
          void shown.update()
        })
    },
    redraw() {
      figure.resize()
      map?.redraw()
    },
    rows: () => Object.fromEntries([...parts].map(([key, { form }]) => [key, form.row()])),
  }
}
