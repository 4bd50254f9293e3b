import { concatBytes } from '../../tensor/index.ts'
import { encode } from './bytes.ts'
import { inRuns } from './utf8.ts'

// Unicode's normal forms on bytes, as tf.text 2.15 has them of ICU. The engine's Unicode version is the one that counts.

export const FORMS = ['NFC', 'NFD', 'NFKC', 'NFKD'] as const
export type Form = (typeof FORMS)[number]

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * `text` in the normal form. Composing leaves malformed bytes as they are; decomposing goes by way of UTF-16, where they
 * become U+FFFD, in tf.text up to 2.15 at least: 2.20 with a newer ICU keeps them here too.
 */
export function normalized(text: Uint8Array, form: Form): Uint8Array {
  const apply = (plain: string) => plain.normalize(form)
  return form === 'NFC' || form === 'NFKC' ? changed(text, apply) : encode(apply(decoder.decode(text)))
}

/** NFKC_Casefold of `text`; malformed bytes stay. */
export const caseFolded = (text: Uint8Array): Uint8Array => changed(text, caseFold)

/** `text` with `change` made to its stretches of valid UTF-8. */
function changed(text: Uint8Array, change: (plain: string) => string): Uint8Array {
  const parts: Uint8Array[] = []
  inRuns(
    text,
    (start, end) => parts.push(encode(change(decoder.decode(text.subarray(start, end))))),
    (start, end) => parts.push(text.subarray(start, end)),
  )
  return parts.length === 1 ? parts[0] : concatBytes(parts)
}

const IGNORABLE = /\p{Default_Ignorable_Code_Point}/u
const CHEROKEE = /[\u13a0-\u13fd\uab70-\uabbf]/

/**
 * ICU's NFKC_Casefold: each character's compatibility form, fully case-folded and without ignorable characters, then all
 * composed.
 */
export function caseFold(text: string): string {
  let all = ''
  for (const char of text) {
    let known = folded.get(char)
    if (known === undefined) {
      known = foldOf(char)
      folded.set(char, known)
    }
    all += known
  }
  return all.normalize('NFC')
}

/** Characters of texts met so far: at most as many as Unicode has. */
const folded = new Map<string, string>()

function foldOf(char: string): string {
  let fold = ''
  for (const part of char.normalize('NFKC')) if (!IGNORABLE.test(part)) fold += foldCase(part)
  return fold.normalize('NFKC')
}

/** Upper then lower is full case folding, but for the dotless i, the capital sharp s, and Cherokee, which folds to capitals. */
function foldCase(char: string): string {
  if (char === 'ı') return char
  if (char === 'ẞ') return 'ss'
  return CHEROKEE.test(char) ? char.toUpperCase() : char.toUpperCase().toLowerCase()
}
