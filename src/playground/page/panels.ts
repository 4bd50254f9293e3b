import type { Metric } from '../../graph/index.ts'
import type { Desk, Followed, ItemsView, Members, Opened, PartView } from '../protocol.ts'
import { combobox } from './combobox.ts'
import { element } from './element.ts'
import { numberText, shapeText } from './words.ts'

// The panels of the workbench that show what they are given and keep nothing.

/** One panel above the other; null where there are none. */
export const stack = (...panels: readonly (HTMLElement | null | false)[]): HTMLElement | null =>
  panels.every((each) => each === null || each === false) ? null : element('div', { class: 'stack' }, ...panels)

/** A part of the page with a heading. @param side whose tower it is about */
export function panel(
  title: string,
  id: string,
  side: 'query' | 'candidate' | null,
  children: readonly (HTMLElement | null | false)[],
): HTMLElement {
  return element(
    'section',
    { class: `panel ${id}${side === null ? '' : ` of-${side}`}`, 'aria-labelledby': id },
    element('h2', { id }, title),
    ...children,
  )
}

/** What the marks of the map mean, and how much of the truth it shows. */
export function mapNotes({ shown }: ItemsView): HTMLElement[] {
  return [
    element(
      'ul',
      { class: 'legend' },
      element('li', {}, element('span', { class: 'mark query-mark', 'aria-hidden': 'true' }), 'the query'),
      element(
        'li',
        {},
        element('span', { class: 'mark hit-mark', 'aria-hidden': 'true' }, '1'),
        'its nearest, by rank',
      ),
      element('li', {}, element('span', { class: 'mark picked-mark', 'aria-hidden': 'true' }), 'the candidate'),
      element('li', {}, element('span', { class: 'mark item-mark', 'aria-hidden': 'true' }), 'other items'),
    ),
    element(
      'p',
      { class: 'aside' },
      `Two principal components of the embeddings: ${Math.round(100 * shown)} % of their variance. Near here may be far in the other dimensions; the ranking counts all of them.`,
    ),
  ]
}

export function exampleChoice({ examples }: Opened, choose: (row: Members) => void): HTMLElement {
  const select = element(
    'select',
    { id: 'example', change: () => choose(examples[Number(select.value)].row) },
    ...examples.slice(0, 200).map(({ label }, i) => element('option', { value: i }, label)),
  )
  return element('p', { class: 'examples' }, element('label', { for: 'example' }, 'Begin with'), select)
}

export function finder(desk: Desk, labels: readonly string[], pick: (item: number) => void): HTMLElement {
  const { root, input } = combobox<number>({
    label: 'Find an item and its rank',
    placeholder: 'Find an item and its rank',
    suggest: async (typed) => (await desk.find(typed)).map((item) => ({ text: labels[item], value: item })),
    chosen({ value }) {
      input.value = ''
      pick(value)
    },
  })
  root.classList.add('finder')
  return root
}

/** In place of a ranking where there are no items: what to drop, and which similarity to choose where none is known. */
export function withoutItems({ candidate, similarity, notes }: Opened, choose: (metric: Metric) => void): HTMLElement {
  const choice = element(
    'div',
    { class: 'choose' },
    element(
      'p',
      {},
      `The export does not say how its embeddings are compared${notes.length > 0 ? ` (${notes.join('; ')})` : ''}. Choose:`,
    ),
    element(
      'p',
      { class: 'buttons' },
      ...(['dot', 'cosine', 'euclidean'] as const).map((metric) =>
        element(
          'button',
          {
            type: 'button',
            class: 'quiet',
            click: () => choose(metric),
          },
          metric,
        ),
      ),
    ),
  )
  return panel('Ranking', 'ranking-panel', null, [
    similarity === null && choice,
    element(
      'p',
      { class: 'invite' },
      candidate === null
        ? 'Drop an items.jsonl here, a line {"id", "embedding"} for each item, and they are ranked and mapped.'
        : 'Drop an items.jsonl here, a line of candidate features for each item, and they are embedded, ranked and mapped.',
    ),
  ])
}

export function notes({ notes: found, similarityWords }: Opened): HTMLElement {
  return element(
    'details',
    { class: 'notes' },
    element('summary', {}, 'What was found in the graph'),
    element(
      'ul',
      {},
      element('li', {}, `Similarity: ${similarityWords ?? 'not known'}`),
      ...found.map((note) => element('li', {}, note)),
    ),
  )
}

/** A signature of the model, with a form to run it. */
export function signature(
  { signatures }: Opened,
  part: PartView,
  alone: boolean,
  addPart: (part: PartView) => HTMLElement | null,
): HTMLElement {
  const all = signatures.filter(({ name }) => name === part.name)
  const ports = (list: PartView['outputs']) =>
    element(
      'dl',
      { class: 'ports' },
      ...list.map(({ name, dtype, shape }) =>
        element('div', {}, element('dt', {}, name), element('dd', {}, `${dtype} ${shapeText(shape)}`)),
      ),
    )
  return element(
    'details',
    { class: 'signature', 'data-part': `signature ${part.name}`, open: alone },
    element(
      'summary',
      {},
      part.name,
      element('span', { class: 'about' }, all.length > 1 ? `${all.length} traces` : ''),
    ),
    element('h3', {}, 'Inputs'),
    ports(all[0].inputs),
    element('h3', {}, 'Outputs'),
    ports(all[0].outputs),
    element('h3', {}, 'Run it'),
    addPart(part),
  )
}

/** What came out: numbers and words as they are, an embedding as a strip. */
export function outputsOf({ part, outputs, score }: Followed): HTMLElement[] {
  if (outputs.length > 0)
    return [
      element(
        'dl',
        { class: 'ports values' },
        ...outputs.map(({ name, shape, text }) =>
          element('div', {}, element('dt', {}, `${name} ${shapeText(shape)}`), element('dd', {}, text)),
        ),
        score !== null && element('div', {}, element('dt', {}, 'score'), element('dd', {}, numberText(score.value))),
      ),
    ]
  return part.outputs.map(({ name, vector, values }) =>
    element(
      'p',
      { class: 'embedding' },
      element('span', {}, name),
      vector === undefined
        ? ` ${(values ?? []).map(String).join(', ')}`
        : ` ${vector.size} numbers, norm ${numberText(vector.norm)}: ${vector.first.slice(0, 4).map(numberText).join(', ')} …`,
    ),
  )
}
