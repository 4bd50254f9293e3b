type Child = Node | string | null | false | undefined

/** Attributes; a function is a listener, `true` an attribute without a value, null and false none at all. */
type Attributes = Readonly<Record<string, string | number | boolean | null | undefined | ((event: never) => void)>>

/** An element with its attributes and children. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  return built(document.createElement(tag), attributes, children)
}

/** The same of SVG. */
export function drawn<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Tag] {
  return built(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children)
}

function built<T extends Element>(made: T, attributes: Attributes, children: readonly Child[]): T {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name, value as EventListener)
    else if (value !== null && value !== undefined && value !== false)
      made.setAttribute(name, value === true ? '' : String(value))
  }
  made.append(...children.filter((child) => child !== null && child !== false && child !== undefined))
  return made
}

let last = 0
/** An id that no other element has. */
export const freshId = (name: string): string => `${name}-${++last}`
