import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { tensor, utf8 } from '../tensor/index.ts'
import { text } from './strings.ts'
import { Regex } from './text/regex.ts'

// Regular expressions after core/kernels/regex_replace_op.cc and regex_full_match_op.cc.

/** The one string that input `i` is. */
export function scalarText(call: Call, i: number, what: string): Uint8Array {
  const input = text(call, i)
  if (input.shape.length !== 0) throw new InvalidArgumentError(`${what} must be scalar, but received [${input.shape}]`)
  return input.data.at(0)
}

/** The expression for `bytes`, compiled once. */
export const pattern = (bytes: Uint8Array): Regex => {
  let regex = COMPILED.get(bytes)
  if (regex === undefined) {
    const plain = utf8(bytes)
    if (plain === null) throw new InvalidArgumentError('Invalid pattern: it is not UTF-8')
    regex = Regex.of(plain)
    COMPILED.set(bytes, regex)
  }
  return regex
}

/** An attribute's bytes are the same object at each run. */
const COMPILED = new WeakMap<Uint8Array, Regex>()

const replace = (patternOf: (call: Call) => Uint8Array, rewriteOf: (call: Call) => Uint8Array): Op => ({
  evaluate(call) {
    const x = text(call, 0)
    const replaced = pattern(patternOf(call)).replace(
      x.data,
      rewriteOf(call),
      call.attrs.boolean('replace_global', true),
    )
    return tensor('string', x.shape, replaced)
  },
})

const fullMatch = (patternOf: (call: Call) => Uint8Array): Op => ({
  evaluate(call) {
    const x = text(call, 0)
    const regex = pattern(patternOf(call))
    return tensor(
      'bool',
      x.shape,
      Uint8Array.from({ length: x.data.length }, (_, i) => (regex.fullMatch(x.data.at(i)) ? 1 : 0)),
    )
  },
})

export const ops: Readonly<Record<string, Op>> = {
  RegexReplace: replace(
    (call) => scalarText(call, 1, 'Pattern'),
    (call) => scalarText(call, 2, 'Rewrite'),
  ),
  StaticRegexReplace: replace(
    (call) => call.attrs.bytes('pattern'),
    (call) => call.attrs.bytes('rewrite'),
  ),
  RegexFullMatch: fullMatch((call) => scalarText(call, 1, 'Pattern')),
  StaticRegexFullMatch: fullMatch((call) => call.attrs.bytes('pattern')),
}
