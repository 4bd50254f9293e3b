import type { Field, Json, Range } from '../protocol.ts'
import { combobox } from './combobox.ts'
import { element, freshId } from './element.ts'
import { numberText } from './words.ts'

/** How one feature is given. */
export interface Control {
  readonly root: HTMLElement
  /** The id of the one element that a label is for; null where there are several. */
  readonly input: string | null
  /** The value as JSON has it; undefined for the model's default. */
  value(): Json | undefined
  fill(value: Json | undefined): void
}

export interface ControlOptions {
  readonly value: Json | undefined
  readonly labelId: string
  readonly aboutId: string
  changed(): void
  suggest(text: string): Promise<readonly string[]>
}

/** The control that fits a field. */
export function controlFor(field: Field, options: ControlOptions): Control {
  const { control } = field
  const [build, shaped] = [BUILD[control.kind] as (field: Field, options: ControlOptions) => Control, shapedBy(field)]
  const made = build(field, { ...options, value: shaped.bare(options.value) })
  return {
    ...made,
    value: () => shaped.wrap(made.value()),
    fill: (value) => made.fill(shaped.bare(value)),
  }
}

/** A feature of shape [1] stands in a row as a list of one. */
function shapedBy({ control, shape }: Field) {
  const listed = shape?.length === 2 && shape[1] === 1 && control.kind !== 'json'
  return {
    bare: (value: Json | undefined): Json | undefined =>
      control.kind !== 'json' && control.kind !== 'list' && control.kind !== 'numbers' && Array.isArray(value)
        ? (value as readonly Json[])[0]
        : value,
    wrap: (value: Json | undefined): Json | undefined => (listed && value !== undefined ? [value] : value),
  }
}

const BUILD: Readonly<Record<Field['control']['kind'], (field: Field, options: ControlOptions) => Control>> = {
  choice,
  text,
  number,
  numbers,
  flag,
  list,
  json,
}

/** Typed text as the feature's JSON: an id may be an integer that a double cannot hold. */
function read(typed: string, numeric: boolean): Json {
  if (!numeric || !/^-?\d+$/.test(typed.trim())) return numeric ? Number(typed) : typed
  const id = Number(typed)
  return Number.isSafeInteger(id) ? id : BigInt(typed.trim())
}

const written = (value: Json | undefined): string =>
  value === undefined || value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)

function choice({ control, optional }: Field, options: ControlOptions): Control {
  const numeric = control.kind === 'choice' && control.numeric
  const { root, input } = combobox<string>({
    labelledBy: options.labelId,
    describedBy: options.aboutId,
    value: written(options.value),
    numeric,
    ...(optional ? { placeholder: 'default' } : {}),
    suggest: async (text) => (await options.suggest(text)).map((word) => ({ text: word, value: word })),
    typed: options.changed,
    chosen: options.changed,
  })
  input.id = freshId('field')
  return {
    root,
    input: input.id,
    value: () => (optional && input.value === '' ? undefined : read(input.value, numeric)),
    fill(value) {
      input.value = written(value)
    },
  }
}

function text({ control, optional }: Field, options: ControlOptions): Control {
  const id = freshId('field')
  const attributes = {
    ...{ id, autocomplete: 'off', spellcheck: 'false', 'aria-describedby': options.aboutId },
    placeholder: optional ? 'default' : null,
    input: options.changed,
  }
  const input =
    control.kind === 'text' && control.tokens
      ? element('textarea', { ...attributes, rows: 2 })
      : element('input', { ...attributes, type: 'text' })
  input.value = written(options.value)
  return {
    root: input,
    input: id,
    value: () => (optional && input.value === '' ? undefined : input.value),
    fill(value) {
      input.value = written(value)
    },
  }
}

function number(field: Field, options: ControlOptions): Control {
  const { control, dtype, optional } = field
  if (control.kind !== 'number') throw new TypeError(`${field.name} is no number`)
  const made = slider(control.range, control.whole, options.value, optional, options.changed, {
    'aria-describedby': options.aboutId,
  })
  made.exact.id = freshId('field')
  made.track.setAttribute('aria-labelledby', options.labelId)
  return {
    root: made.root,
    input: made.exact.id,
    value() {
      const value = made.value()
      // A string that the graph reads as a number.
      return dtype === 'string' && value !== undefined ? String(value) : value
    },
    fill: made.fill,
  }
}

function numbers(field: Field, options: ControlOptions): Control {
  const { control, optional } = field
  if (control.kind !== 'numbers') throw new TypeError(`${field.name} is no list of numbers`)
  const given = Array.isArray(options.value) ? (options.value as readonly Json[]) : []
  const sliders = control.ranges.map((range, i) =>
    slider(range, control.whole, given[i], optional, options.changed, {}),
  )
  const root = element(
    'div',
    { class: 'numbers', role: 'group', 'aria-labelledby': options.labelId, 'aria-describedby': options.aboutId },
    ...sliders.map(({ root, exact, track }, i) => {
      exact.setAttribute('aria-label', `${field.name} ${i + 1}`)
      track.setAttribute('aria-label', `${field.name} ${i + 1}, slider`)
      return element('div', { class: 'nth' }, element('span', { 'aria-hidden': 'true' }, String(i + 1)), root)
    }),
  )
  return {
    root,
    input: null,
    value() {
      const values = sliders.map(({ value }) => value())
      return values.every((value) => value !== undefined) ? values : undefined
    },
    fill(value) {
      for (const [i, each] of sliders.entries())
        each.fill(Array.isArray(value) ? (value as readonly Json[])[i] : undefined)
    },
  }
}

/** A slider over the usual range, and a field for the exact number, which may lie outside. */
function slider(
  { low, high }: Range,
  whole: boolean,
  start: Json | undefined,
  optional: boolean,
  changed: () => void,
  attributes: Readonly<Record<string, string>>,
) {
  const step = whole ? 1 : nice((high - low) / 200)
  const exact = element('input', {
    ...{ type: 'number', step: 'any', class: 'exact', placeholder: optional ? 'default' : null },
    ...attributes,
    input: () => {
      track.value = exact.value
      tell()
      changed()
    },
  })
  const track = element('input', {
    ...{ type: 'range', min: low, max: high, step },
    input: () => {
      exact.value = numberText(Number(track.value))
      tell()
      changed()
    },
  })
  // A track stands at the nearest of its steps, and has no more than its range.
  const tell = (): void => track.setAttribute('aria-valuetext', exact.value === '' ? 'default' : exact.value)
  const fill = (value: Json | undefined): void => {
    const numeric = value === undefined || value === null || value === '' ? '' : String(value)
    exact.value = numeric
    track.value = numeric === '' ? String((low + high) / 2) : numeric
    tell()
  }
  fill(start)
  return {
    root: element('div', { class: 'slider' }, track, exact),
    exact,
    track,
    fill,
    value: (): Json | undefined => (exact.value === '' ? (optional ? undefined : 0) : read(exact.value, true)),
  }
}

/** A step of 1, 2 or 5 times a power of ten. */
function nice(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step))
  const digit = [1, 2, 5, 10].find((each) => each * power >= step) ?? 10
  return Number((digit * power).toPrecision(1))
}

function flag({ optional }: Field, options: ControlOptions): Control {
  const id = freshId('field')
  const input = element('input', { id, type: 'checkbox', 'aria-describedby': options.aboutId, change: options.changed })
  let given = options.value !== undefined
  input.addEventListener('change', () => {
    given = true
  })
  input.checked = options.value === true
  return {
    root: input,
    input: id,
    value: () => (optional && !given ? undefined : input.checked),
    fill(value) {
      given = value !== undefined
      input.checked = value === true
    },
  }
}

/** Several values, each of which can be taken away again. */
function list(field: Field, options: ControlOptions): Control {
  const { control } = field
  const numeric = control.kind === 'list' && control.numeric
  let values: readonly Json[] = Array.isArray(options.value) ? options.value : []
  const chips = element('ul', { class: 'chips', 'aria-labelledby': options.labelId })
  const add = (text: string): void => {
    if (text.trim() === '') return
    const parts = numeric ? text.split(/[\s,]+/).filter(Boolean) : [text]
    values = [...values, ...parts.map((part) => read(part, numeric))]
    input.value = ''
    show()
    options.changed()
  }
  const { root, input } = combobox<string>({
    label: `Add to ${field.name}`,
    describedBy: options.aboutId,
    placeholder: 'add …',
    numeric,
    suggest: async (text) =>
      control.kind === 'list' && control.size === 0
        ? []
        : (await options.suggest(text)).map((word) => ({ text: word, value: word })),
    chosen: ({ value }) => add(value),
  })
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') add(input.value)
    if (event.key === 'Backspace' && input.value === '' && values.length > 0) {
      values = values.slice(0, -1)
      show()
      options.changed()
    }
  })
  const show = (): void => {
    chips.hidden = values.length === 0
    chips.replaceChildren(
      ...values.map((value, i) =>
        element(
          'li',
          {},
          element('span', {}, written(value) === '' ? '(empty)' : written(value)),
          element(
            'button',
            {
              type: 'button',
              'aria-label': `Take away ${written(value)}`,
              click: () => {
                values = values.filter((_, each) => each !== i)
                show()
                options.changed()
                input.focus()
              },
            },
            '×',
          ),
        ),
      ),
    )
  }
  show()
  return {
    root: element('div', { class: 'list' }, chips, root),
    input: null,
    value: () => (field.optional && values.length === 0 ? undefined : values),
    fill(value) {
      values = Array.isArray(value) ? value : []
      show()
    },
  }
}

/** Anything else as JSON; while it is none, the last that was. */
function json({ optional }: Field, options: ControlOptions): Control {
  const id = freshId('field')
  let value = options.value
  const input = element('textarea', {
    ...{ id, rows: 3, class: 'code', spellcheck: 'false', 'aria-describedby': options.aboutId },
    input: () => {
      try {
        value = input.value.trim() === '' && optional ? undefined : (JSON.parse(input.value) as Json)
        input.removeAttribute('aria-invalid')
        options.changed()
      } catch {
        input.setAttribute('aria-invalid', 'true')
      }
    },
  })
  const show = (): void => {
    input.value =
      value === undefined ? '' : JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? Number(each) : each))
  }
  show()
  return {
    root: input,
    input: id,
    value: () => value,
    fill(given) {
      value = given
      show()
    },
  }
}
