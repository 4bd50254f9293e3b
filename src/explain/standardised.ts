import type { Node, Table } from '../graph/index.ts'
import { lowerAscii } from '../ops/text/bytes.ts'
import { wordsOf } from '../ops/wordids.ts'
import { Strings, type Tensor, tensor } from '../tensor/index.ts'
import { lookup } from './lookups.ts'
import type { Seen } from './record.ts'
import { type Stage, sameList, scalarsOf } from './stage.ts'

/** What one op does that takes texts to the ids of their words, told in the steps that it was made of. */
export function standardised({ inputs, outputs }: Seen, { attrs }: Node): Stage[] {
  const [held, texts, fallback] = inputs
  const [ids] = outputs
  if (texts.dtype !== 'string' || ids === undefined || held.dtype !== 'resource') return []
  const removed = attrs.bytes('removed')
  const lowered = attrs.boolean('lower') ? each(texts.data, lowerAscii) : texts.data
  const kept = each(lowered, (text) => text.filter((byte) => !removed.includes(byte)))
  const { words } = wordsOf(texts.data, attrs)
  const keys = tensor('string', [words.length], words)
  const found = (held.data[0] as Table).find(keys, fallback)
  const looked = lookup({ inputs: [held, keys, fallback], outputs: [found] })
  return [
    ...changed('lower-cased', texts, stringsAs(lowered)),
    ...changed(`${JSON.stringify(new TextDecoder().decode(removed))} removed`, stringsAs(lowered), stringsAs(kept)),
    ...changed('split at white space', stringsAs(kept), keys),
    ...(looked === null ? [] : [looked]),
    ...changed(`padded or cut to ${ids.shape[1]}`, found, ids),
  ]
}

const each = (texts: Strings, change: (text: Uint8Array) => Uint8Array): Strings =>
  Strings.from(Array.from({ length: texts.length }, (_, i) => change(texts.at(i))))

const stringsAs = (texts: Strings): Tensor => tensor('string', [texts.length], texts)

/** The values after a step that changed them. */
function changed(words: string, before: Tensor, after: Tensor): Stage[] {
  const values = scalarsOf(after)
  return sameList(values, scalarsOf(before)) ? [] : [{ kind: 'values', words, values }]
}
