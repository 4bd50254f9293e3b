import { element, freshId } from './element.ts'

/** Ways to ask for the same instance elsewhere. */
const WAYS = ['JSON', 'curl', 'JavaScript', 'twotower'] as const
type Way = (typeof WAYS)[number]

/** What is asked: a tower, or a signature. */
export interface Asked {
  readonly model: string
  readonly kind: 'tower' | 'signature'
  readonly name: string
  /** The row as JSON. */
  readonly row: string
}

/** The instance as text to take away. @param said told what was copied */
export function snippets(said: (words: string) => void): { readonly root: HTMLElement; show(asked: Asked): void } {
  const id = freshId('snippet')
  let [way, asked]: [Way, Asked | null] = ['JSON', null]
  const code = element('code', {})
  const panel = element('pre', { id, role: 'tabpanel', tabindex: 0 }, code)
  const show = (): void => {
    code.textContent = asked === null ? '' : TEXT[way](asked)
    panel.setAttribute('aria-labelledby', `${id}-${way}`)
    for (const tab of tabs) {
      const own = tab.textContent === way
      tab.setAttribute('aria-selected', String(own))
      tab.tabIndex = own ? 0 : -1
    }
  }
  const tabs = WAYS.map((each) =>
    element(
      'button',
      {
        ...{ type: 'button', role: 'tab', id: `${id}-${each}`, 'aria-controls': id },
        click: () => {
          way = each
          show()
        },
        keydown: ({ key }: KeyboardEvent) => {
          const step = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0
          if (step === 0) return
          way = WAYS[(WAYS.indexOf(way) + step + WAYS.length) % WAYS.length]
          show()
          tabs[WAYS.indexOf(way)].focus()
        },
      },
      each,
    ),
  )
  const copy = element(
    'button',
    {
      type: 'button',
      class: 'quiet',
      click: async () => {
        await navigator.clipboard.writeText(code.textContent ?? '').then(
          () => said(`${way} copied`),
          () => said('The browser does not let the page copy: select the text and copy it'),
        )
      },
    },
    'Copy',
  )
  const root = element(
    'div',
    { class: 'snippets' },
    element('div', { class: 'tabs' }, element('div', { role: 'tablist', 'aria-label': 'As' }, ...tabs), copy),
    panel,
  )
  return {
    root,
    show(next) {
      asked = next
      show()
    },
  }
}

const quoted = (json: string): string => `'${json.replaceAll("'", "'\\''")}'`

const TEXT: Readonly<Record<Way, (asked: Asked) => string>> = {
  JSON: ({ row }) => lines(row),
  curl: ({ model, kind, name, row }) =>
    kind === 'tower'
      ? `curl localhost:8501/v1/towers/${name}:embed -d ${quoted(`{"model": "${model}", "instances": [${row}]}`)}`
      : `curl localhost:8501/v1/models/${encodeURIComponent(model)}:predict -d ${quoted(`{"signature_name": "${name}", "instances": [${row}]}`)}`,
  JavaScript: ({ model, kind, name, row }) =>
    [
      "import { load } from 'twotower'",
      `const model = await load('weights/${model}')`,
      `const row = ${lines(row)}`,
      'const features = Object.fromEntries(Object.entries(row).map(([name, value]) => [name, [value]]))',
      kind === 'tower'
        ? `const { data } = model.${name}.embed(features)`
        : `const outputs = model.run(${JSON.stringify(name)}, features)`,
    ].join('\n'),
  twotower: ({ model, kind, name, row }) =>
    kind === 'tower'
      ? `echo ${quoted(row)} | twotower embed weights/${model} --tower ${name}`
      : `echo ${quoted(`{"instances": [${row}]}`)} | twotower run weights/${model} --signature ${name}`,
}

/** A row with a feature a line: `jsonText` writes members as `"name": value, "name": …`. */
function lines(row: string): string {
  let [depth, text, quotes] = [0, '', false]
  for (let i = 0; i < row.length; i++) {
    const char = row[i]
    if (char === '"' && row[i - 1] !== '\\') quotes = !quotes
    if (!quotes && (char === '{' || char === '[')) depth++
    if (!quotes && (char === '}' || char === ']')) depth--
    if (i === 0) text += '{\n  '
    else if (i === row.length - 1) text += '\n}'
    else if (!quotes && depth === 1 && char === ',') {
      text += ',\n  '
      i++
    } else text += char
  }
  return row === '{}' ? row : text
}
