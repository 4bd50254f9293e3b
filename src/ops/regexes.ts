import type { Attrs, Call, Op } from '../graph/index.ts'
import { type Strings, type TensorOf, tensor, utf8 } from '../tensor/index.ts'
import { scalarText, text } from './strings.ts'
import { ByteClass } from './text/byteclass.ts'
import type { Regex } from './text/regex.ts'
import { rewriteParts } from './text/rewrite.ts'

// Regular expressions after core/kernels/regex_replace_op.cc and regex_full_match_op.cc. The library that knows all of RE2
// is larger than the rest of a tower's code, and what most towers ask for, replacing one class of characters, does not
// need it: it is loaded for the nodes that do.

let library: typeof import('./text/regex.ts') | undefined

const loadLibrary = async (): Promise<void> => {
  library ??= await import('./text/regex.ts')
}

function regexOf(pattern: Uint8Array): Regex {
  if (library === undefined) throw new Error('the library of regular expressions was not loaded: await prepare first')
  return library.regexOf(pattern)
}

interface ClassReplacement {
  readonly class: ByteClass
  readonly by: Uint8Array
}

const CLASS_REPLACEMENTS = new WeakMap<Attrs, ClassReplacement | null>()

/** What a StaticRegexReplace does, where that is to replace every character of a class by a text; else null. */
function classReplacement(attrs: Attrs): ClassReplacement | null {
  let known = CLASS_REPLACEMENTS.get(attrs)
  if (known === undefined) {
    const pattern = utf8(attrs.bytes('pattern'))
    const of = pattern === null ? null : ByteClass.of(pattern)
    const parts = attrs.boolean('replace_global', true) ? rewriteParts(attrs.bytes('rewrite')) : null
    const by = parts?.length === 1 ? (parts[0] as Uint8Array) : null
    known = of?.fitsAll && by !== null ? { class: of, by } : null
    CLASS_REPLACEMENTS.set(attrs, known)
  }
  return known
}

const replaced = (call: Call, x: TensorOf<'string'>, pattern: Uint8Array, rewrite: Uint8Array): Strings =>
  regexOf(pattern).replace(x.data, rewrite, call.attrs.boolean('replace_global', true))

const replace: Op = {
  prepare: loadLibrary,
  evaluate(call) {
    const x = text(call, 0)
    const [pattern, rewrite] = [scalarText(call, 1, 'Pattern'), scalarText(call, 2, 'Rewrite')]
    return tensor('string', x.shape, replaced(call, x, pattern, rewrite))
  },
}

const staticReplace: Op = {
  prepare: (attrs) => (attrs === undefined || classReplacement(attrs) === null ? loadLibrary() : undefined),
  evaluate(call) {
    const x = text(call, 0)
    const simple = classReplacement(call.attrs)
    const strings =
      simple === null
        ? replaced(call, x, call.attrs.bytes('pattern'), call.attrs.bytes('rewrite'))
        : simple.class.replaceAll(x.data, simple.by)
    return tensor('string', x.shape, strings)
  },
}

const fullMatch = (patternOf: (call: Call) => Uint8Array): Op => ({
  prepare: loadLibrary,
  evaluate(call) {
    const x = text(call, 0)
    const regex = regexOf(patternOf(call))
    return tensor(
      'bool',
      x.shape,
      Uint8Array.from({ length: x.data.length }, (_, i) => (regex.fullMatch(x.data.at(i)) ? 1 : 0)),
    )
  },
})

export const ops: Readonly<Record<string, Op>> = {
  RegexReplace: replace,
  StaticRegexReplace: staticReplace,
  RegexFullMatch: fullMatch((call) => scalarText(call, 1, 'Pattern')),
  StaticRegexFullMatch: fullMatch((call) => call.attrs.bytes('pattern')),
}
