import type { Offer, Picked, Site } from '../protocol.ts'
import { element } from './element.ts'
import { filesOf } from './picking.ts'

export interface Opening {
  picked(picked: readonly Picked[]): void
  offered(offer: Offer): void
  refused(error: unknown): void
}

/** What is seen before a model is open. */
export function openingView({ models }: Site, { picked, offered, refused }: Opening): HTMLElement {
  const folder = element('input', {
    type: 'file',
    hidden: true,
    webkitdirectory: true,
    'aria-label': 'A folder',
    tabindex: -1,
  })
  const files = element('input', { type: 'file', hidden: true, multiple: true, 'aria-label': 'Files', tabindex: -1 })
  for (const input of [folder, files])
    input.addEventListener('change', () => {
      try {
        if (input.files !== null && input.files.length > 0) picked(filesOf(input.files))
      } catch (error) {
        refused(error)
      }
      input.value = ''
    })
  return element(
    'section',
    { class: 'opening', 'aria-labelledby': 'headline' },
    element('h1', { id: 'headline' }, 'See what your two towers see'),
    element(
      'p',
      { class: 'lead' },
      'Drop a SavedModel or a converted bundle anywhere on this page. It is read and run right here: change a feature and watch tokens, embedding and ranking follow.',
    ),
    element(
      'div',
      { class: 'drop' },
      element(
        'p',
        {},
        element('strong', {}, 'Drop a model’s folder here'),
        element('span', {}, 'SavedModel · bundle · a folder with both towers · with items.jsonl if you have one'),
      ),
      element(
        'p',
        { class: 'buttons' },
        element('button', { type: 'button', class: 'strong', click: () => folder.click() }, 'Choose a folder'),
        element('button', { type: 'button', class: 'quiet', click: () => files.click() }, 'Choose files'),
      ),
      folder,
      files,
    ),
    models.length > 0 &&
      element(
        'div',
        { class: 'offers' },
        element('h2', {}, 'Or open'),
        element(
          'ul',
          {},
          ...models.map((offer) =>
            element(
              'li',
              {},
              element('button', { type: 'button', class: 'offer', click: () => offered(offer) }, offer.name),
            ),
          ),
        ),
      ),
    element(
      'p',
      { class: 'promise' },
      'Nothing is uploaded. The page asks for nothing but its own files, and its security policy holds it to that.',
    ),
  )
}
