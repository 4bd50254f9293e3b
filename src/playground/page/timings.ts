import type { Timings } from '../protocol.ts'
import { element } from './element.ts'
import { countText, timeText } from './words.ts'

/** How long a request takes here. @param beside measures against tfjs-wasm; null where it does not lie beside the page */
export function timingsView(items: number | null, beside: (() => Promise<void>) | null) {
  const list = element('dl', { class: 'timings' })
  const verdict = element('p', { class: 'verdict', 'aria-live': 'polite' })
  const button =
    beside === null
      ? null
      : element(
          'button',
          {
            type: 'button',
            class: 'quiet',
            click: async () => {
              if (button === null) return
              button.disabled = true
              verdict.textContent = 'Measuring for two seconds …'
              await beside()
              button.disabled = false
            },
          },
          'Measure beside tfjs-wasm',
        )
  const entry = (name: string, value: string) => element('div', {}, element('dt', {}, name), element('dd', {}, value))
  return {
    root: element('div', {}, list, verdict, button),
    show({ embed, search, tfjs }: Timings) {
      list.replaceChildren(
        entry('one query, raw features to embedding', timeText(embed)),
        ...(search === null || items === null
          ? []
          : [entry(`exact search of ${countText(items)} items`, timeText(search))]),
        ...(tfjs === null ? [] : [entry('the same query on tfjs-wasm', timeText(tfjs))]),
      )
      if (tfjs === null) return
      const ratio = tfjs / embed
      verdict.textContent =
        ratio >= 1
          ? `Here twotower embeds ${ratio.toFixed(1)} times as fast as tfjs-wasm.`
          : `Here tfjs-wasm embeds ${(1 / ratio).toFixed(1)} times as fast as twotower.`
    },
    failed(words: string) {
      verdict.textContent = words
    },
  }
}
