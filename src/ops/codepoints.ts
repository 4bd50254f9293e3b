import type { Call, Op } from '../graph/index.ts'
import { tensor } from '../tensor/index.ts'
import { integersOf, integerTensor } from './integers.ts'
import { isWhiteSpace } from './text/characters.ts'
import { scriptOf } from './text/scripts.ts'
import { checkSplits, int32, int64 } from './tokens.ts'

// Tokenizers of tensorflow_text that take rows of code points and answer tokens of them; places count code points.

/** Rows of code points, cut into tokens. */
interface Cut {
  /** Takes the character at `place`; `begins` says that a token starts with it. */
  keep(place: number, begins: boolean): void
  /** The token that is open ends before `place`. */
  end(place: number): void
}

/** An op on rows of code points; `walk` visits one row's characters in order. */
const onCodePoints = (walk: (codes: Int32Array, start: number, end: number, cut: Cut, call: Call) => void): Op => ({
  outputs: [
    'output_values',
    'output_values_inner_splits',
    'output_offset_starts',
    'output_offset_limits',
    'output_outer_splits',
  ],
  evaluate(call) {
    const [codes, rows] = call.inputs
    if (codes.dtype !== 'int32') throw new TypeError(`input_values must be int32, got ${codes.dtype}`)
    const splits = integersOf(rows, 'input_splits')
    checkSplits(splits, codes.data.length)
    const [values, inner, starts, limits, outer]: number[][] = [[], [], [], [], [0]]
    for (let row = 0; row + 1 < splits.length; row++) {
      const start = splits[row]
      const cut: Cut = {
        keep(place, begins) {
          if (begins) {
            starts.push(place - start)
            inner.push(values.length)
          }
          values.push(codes.data[place])
        },
        end: (place) => limits.push(place - start),
      }
      walk(codes.data, start, splits[row + 1], cut, call)
      outer.push(starts.length)
    }
    inner.push(values.length)
    const ends = (of: readonly number[]) => integerTensor(rows.dtype, [of.length], of)
    return [int32(values), ends(inner), int64(starts), int64(limits), ends(outer)]
  },
})

/** whitespace_tokenize_kernel.cc */
const whitespaceCodePoints = onCodePoints((codes, start, end, cut) => {
  let open = false
  for (let place = start; place < end; place++) {
    if (!isWhiteSpace(codes[place])) {
      cut.keep(place, !open)
      open = true
    } else if (open) {
      cut.end(place)
      open = false
    }
  }
  if (open) cut.end(end)
})

/** A token ends where the script changes, and where white space is kept also before and after that (unicode_script_tokenize_kernel.cc). */
const scriptCodePoints = onCodePoints((codes, start, end, cut, { attrs }) => {
  const keepSpace = attrs.boolean('keep_whitespace', false)
  let [open, wasSpace, script, spaces] = [false, false, -1, 0]
  for (let place = start; place < end; place++) {
    const space = isWhiteSpace(codes[place])
    const own = scriptOf(codes[place])
    if (own !== script || (keepSpace && space !== wasSpace)) {
      if (open) cut.end(place - spaces)
      script = own
      open = false
    }
    if (!space || keepSpace) {
      cut.keep(place, !open)
      open = true
      spaces = 0
    } else spaces++
    wasSpace = space
  }
  if (open) cut.end(end - spaces)
})

const script: Op = {
  evaluate({ inputs: [codes] }) {
    if (codes.dtype !== 'int32') throw new TypeError(`input must be int32, got ${codes.dtype}`)
    return tensor('int32', codes.shape, codes.data.map(scriptOf))
  },
}

export const ops: Readonly<Record<string, Op>> = {
  UnicodeScript: script,
  UnicodeScriptTokenizeWithOffsets: scriptCodePoints,
  WhitespaceTokenizeWithOffsets: whitespaceCodePoints,
}
