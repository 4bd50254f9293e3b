import { InvalidArgumentError } from '../errors.ts'
import type { Attrs, Call, Op } from '../graph/index.ts'
import { Strings, StringsBuilder, tensor } from '../tensor/index.ts'
import { integersOf } from './integers.ts'
import { text } from './strings.ts'
import { lowerAscii } from './text/bytes.ts'
import { Edits } from './text/edits.ts'
import { caseFolded, FORMS, type Form, normalized } from './text/normalize.ts'
import { isAscii } from './text/utf8.ts'
import { int64 } from './tokens.ts'

// Unicode normalisation of texts after tensorflow_text's core/kernels/normalize_kernels.cc.

/** An op that changes texts: those of ASCII alone by `ascii`, all at once where no other is among them. */
const changes = (
  changeOf: (attrs: Attrs) => (element: Uint8Array) => Uint8Array,
  ascii: (bytes: Uint8Array) => Uint8Array,
): Op => ({
  evaluate(call) {
    const x = text(call, 0)
    const change = changeOf(call.attrs)
    const { bytes, offsets, length } = x.data
    const used = bytes.subarray(offsets[0], offsets[length])
    if (isAscii(used)) {
      const ends = offsets[0] === 0 ? offsets : offsets.map((offset) => offset - offsets[0])
      return tensor('string', x.shape, new Strings(ascii(used), ends))
    }
    const out = new StringsBuilder(length)
    for (let i = 0; i < length; i++) {
      const element = x.data.at(i)
      out.push(isAscii(element) ? ascii(element) : change(element))
    }
    return tensor('string', x.shape, out.finish())
  },
})

function formOf(attrs: Attrs): Form {
  const name = attrs.string('normalization_form').toUpperCase()
  const form = FORMS.find((known) => known === name)
  if (form === undefined) throw new InvalidArgumentError(`Unknown normalization form requested: ${name}`)
  return form
}

const caseFold = changes(() => caseFolded, lowerAscii)

const normalize = changes(
  (attrs) => {
    const form = formOf(attrs)
    return (element) => normalized(element, form)
  },
  (bytes) => bytes,
)

/** Composed texts and, as variants, what was changed where. tf.text 2.15 has no map of decomposing. */
const withMap: Op = {
  outputs: ['output', 'offsets_map'],
  evaluate(call) {
    const x = text(call, 0)
    const form = formOf(call.attrs)
    if (form !== 'NFC' && form !== 'NFKC')
      throw new InvalidArgumentError(`Offset not supported for this normalization form: ${form}`)
    const out = new StringsBuilder(x.data.length)
    const maps: Edits[] = []
    for (let i = 0; i < x.data.length; i++) {
      const edits = new Edits(x.data.at(i), form)
      out.push(edits.result)
      maps.push(edits)
    }
    return [tensor('string', x.shape, out.finish()), { dtype: 'variant', shape: x.shape, data: maps }]
  },
}

/** The map of element `i`, which `withMap` made. */
function mapAt({ inputs: [maps] }: Call, i: number): Edits {
  const map = maps.dtype === 'variant' ? maps.data[i] : undefined
  if (map instanceof Edits) return map
  throw new InvalidArgumentError('Input offset tensor dimension did not match the offset map dimension.')
}

/** Where offsets of normalised texts lie in the texts before; rows without offsets have no map. */
const findSource: Op = {
  evaluate(call) {
    const [, offsets] = call.inputs
    if (offsets.dtype !== 'int64') throw new TypeError(`input_offsets_values must be int64, got ${offsets.dtype}`)
    const splits = integersOf(call.inputs[2], 'input_offsets_splits')
    const found: number[] = []
    let used = 0
    for (let row = 0; row + 1 < splits.length; row++) {
      if (splits[row] === splits[row + 1]) continue
      const map = mapAt(call, used++)
      // ICU's offsets have 32 bits.
      for (let i = splits[row]; i < splits[row + 1]; i++)
        found.push(map.sourceOf(Number(BigInt.asIntN(32, offsets.data[i]))))
    }
    const [maps] = call.inputs
    if (maps.dtype === 'variant' && maps.data.length !== used)
      throw new InvalidArgumentError('Input offset tensor dimension did not match the offset map dimension.')
    return int64(found)
  },
}

export const ops: Readonly<Record<string, Op>> = {
  CaseFoldUTF8: caseFold,
  NormalizeUTF8: normalize,
  NormalizeUTF8WithOffsetsMap: withMap,
  FindSourceOffsets: findSource,
}
