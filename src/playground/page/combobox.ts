import { element, freshId } from './element.ts'

/** One suggestion: what it reads, and what it stands for. */
export interface Choice<T> {
  readonly text: string
  readonly value: T
}

export interface ComboboxOptions<T> {
  readonly value?: string
  /** The label's id, or the label itself. */
  readonly labelledBy?: string
  readonly label?: string
  readonly describedBy?: string
  readonly placeholder?: string
  readonly numeric?: boolean
  /** Suggestions for what is typed. */
  suggest(text: string): Promise<readonly Choice<T>[]>
  /** Told of every text as it is typed. */
  typed?(text: string): void
  chosen(choice: Choice<T>): void
}

/** A text field with suggestions below: the ARIA practice "editable combobox with list autocomplete". */
export function combobox<T>(options: ComboboxOptions<T>): {
  readonly root: HTMLElement
  readonly input: HTMLInputElement
} {
  const listId = freshId('choices')
  const list = element('ul', {
    id: listId,
    class: 'choices',
    role: 'listbox',
    'aria-label': 'Suggestions',
    hidden: true,
  })
  const input = element('input', {
    type: 'text',
    role: 'combobox',
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
    inputmode: options.numeric === true ? 'numeric' : null,
    'aria-autocomplete': 'list',
    'aria-expanded': 'false',
    'aria-controls': listId,
    'aria-labelledby': options.labelledBy,
    'aria-label': options.label,
    'aria-describedby': options.describedBy,
    placeholder: options.placeholder,
  })
  input.value = options.value ?? ''
  let [choices, active]: [readonly Choice<T>[], number] = [[], -1]
  let asked = 0

  const close = (): void => {
    asked++
    list.hidden = true
    active = -1
    input.setAttribute('aria-expanded', 'false')
    input.removeAttribute('aria-activedescendant')
  }
  const mark = (next: number): void => {
    active = next
    for (const [i, option] of [...list.children].entries()) option.setAttribute('aria-selected', String(i === active))
    const option = list.children[active]
    if (option === undefined) input.removeAttribute('aria-activedescendant')
    else {
      input.setAttribute('aria-activedescendant', option.id)
      option.scrollIntoView({ block: 'nearest' })
    }
  }
  const open = async (text: string): Promise<void> => {
    const own = ++asked
    const found = await options.suggest(text)
    if (own !== asked) return
    choices = found
    list.replaceChildren(
      ...found.map((choice, i) =>
        element(
          'li',
          {
            id: `${listId}-${i}`,
            role: 'option',
            'aria-selected': 'false',
            // Before the field loses the focus.
            pointerdown: (event: PointerEvent) => {
              event.preventDefault()
              take(choice)
            },
          },
          choice.text,
        ),
      ),
    )
    list.hidden = found.length === 0
    input.setAttribute('aria-expanded', String(found.length > 0))
    mark(-1)
  }
  const take = (choice: Choice<T>): void => {
    input.value = choice.text
    close()
    options.chosen(choice)
  }

  input.addEventListener('input', () => {
    options.typed?.(input.value)
    void open(input.value)
  })
  input.addEventListener('keydown', (event) => {
    const { key } = event
    if (key === 'ArrowDown' || key === 'ArrowUp') {
      event.preventDefault()
      if (list.hidden) void open('')
      else mark((active + (key === 'ArrowDown' ? 1 : choices.length - (active < 0 ? 0 : 1))) % choices.length)
    } else if (key === 'Enter' && active >= 0) {
      event.preventDefault()
      event.stopPropagation()
      take(choices[active])
    } else if (key === 'Escape' && !list.hidden) {
      event.stopPropagation()
      close()
    }
  })
  input.addEventListener('click', () => list.hidden && void open(''))
  input.addEventListener('blur', close)
  return { root: element('div', { class: 'combobox' }, input, list), input }
}
