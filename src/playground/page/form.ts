import type { ExplainedInput } from '../../explain/part.ts'
import type { Desk, Field, Json, Members, PartView } from '../protocol.ts'
import { type Control, controlFor } from './controls.ts'
import { element, freshId } from './element.ts'
import { traceOf } from './trace.ts'
import { countText, shapeText } from './words.ts'

/** The features of a part as fields. */
export interface Form {
  readonly root: HTMLElement
  /** The row as it stands; a feature that is left to its default is not in it. */
  row(): Members
  fill(row: Members): void
  /** Shows below each field what becomes of it. */
  trace(inputs: readonly ExplainedInput[]): void
}

interface Shown {
  readonly field: Field
  readonly control: Control
  readonly trace: HTMLElement
  root: HTMLElement
}

/** @param changed told whenever a feature is */
export function form(part: PartView, desk: Desk, changed: () => void): Form {
  const opened = new Set<string>()
  const shown: Shown[] = part.fields.map((field) => fieldOf(field, part, desk, changed))
  const root = element('div', { class: 'form' }, ...shown.map(({ root }) => root))
  return {
    root,
    row() {
      const members = shown.flatMap(({ field, control }): [string, Json][] => {
        const value = control.value()
        return value === undefined ? [] : [[field.name, value]]
      })
      return Object.fromEntries(members)
    },
    fill(row) {
      for (const { field, control } of shown)
        control.fill(
          Object.hasOwn(row, field.name) ? row[field.name] : field.optional ? undefined : part.row[field.name],
        )
    },
    trace(inputs) {
      for (const { field, trace } of shown) {
        const folded = trace.querySelector('details')
        if (folded !== null) opened[folded.open ? 'add' : 'delete'](field.name)
        const next = traceOf(inputs.filter(({ from }) => from === field.name))
        const details = next.querySelector('details')
        if (details !== null) details.open = opened.has(field.name)
        // A reader within it stays where it was.
        const inside = trace.contains(document.activeElement)
        trace.replaceChildren(...next.childNodes)
        if (inside) trace.querySelector('summary')?.focus()
      }
    },
  }
}

function fieldOf(field: Field, part: PartView, desk: Desk, changed: () => void): Shown {
  const labelId = freshId('label')
  const aboutId = freshId('about')
  const trace = element('div', { class: 'trace' })
  const control = controlFor(field, {
    value: Object.hasOwn(part.row, field.name) ? part.row[field.name] : undefined,
    labelId,
    aboutId,
    changed,
    suggest: (text) => desk.suggest({ kind: part.kind, name: part.name }, field.name, text),
  })
  const label =
    control.input === null
      ? element('span', { id: labelId, class: 'name' }, spaced(field.name))
      : element('label', { id: labelId, class: 'name', for: control.input }, spaced(field.name))
  const root = element(
    'div',
    { class: 'field', 'data-feature': field.name },
    element('div', { class: 'head' }, label, element('span', { id: aboutId, class: 'about' }, about(field))),
    control.root,
    trace,
  )
  return { field, control, trace, root }
}

/** A long name may break at its underscores. */
const spaced = (name: string): string => name.replaceAll('_', '_\u200b')

/** What a feature is, in a few words. */
function about({ control, dtype, shape, optional }: Field): string {
  const otherwise = optional ? ', optional' : ''
  switch (control.kind) {
    case 'choice':
      return `one of ${countText(control.size)}${otherwise}`
    case 'text':
      return `${control.tokens ? 'text' : 'word'}${otherwise}`
    case 'number':
    case 'numbers': {
      const range = control.kind === 'number' ? control.range : control.ranges[0]
      return `${control.kind === 'numbers' ? `${control.ranges.length} numbers` : 'number'}${FROM[range.from]}${otherwise}`
    }
    case 'flag':
      return `yes or no${otherwise}`
    case 'list':
      return `${control.length === null ? 'several' : countText(control.length)}${control.size > 0 ? ` of ${countText(control.size)}` : control.numeric ? ' numbers' : ' words'}${otherwise}`
    default:
      return `${dtype} ${shapeText(shape)} as JSON${otherwise}`
  }
}

/** Who says what the range is. */
const FROM = {
  normalisation: ', ±3 σ of training',
  buckets: ', from its buckets',
  ids: ', an id',
  rows: ', as in the rows',
  guess: '',
} as const
