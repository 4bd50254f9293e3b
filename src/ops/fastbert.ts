import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { StringsBuilder, tensor } from '../tensor/index.ts'
import { integersOf } from './integers.ts'
import { FastNormalizer } from './text/fastnormalizer.ts'
import { FastWordpiece, type Found } from './text/fastwordpiece.ts'
import { checkSplits, int64, strings, texts } from './tokens.ts'

// The fast BERT ops of tensorflow_text, after core/kernels/fast_*_kernel_template.h. Their model is a tensor of bytes that
// the graph holds.

/** What `make` makes of the model that input `i` is, made once for each tensor. */
function made<T>(made: WeakMap<Uint8Array, T>, make: new (model: Uint8Array) => T): (call: Call, i: number) => T {
  return ({ inputs }, i) => {
    const model = inputs[i]
    if (model.dtype !== 'uint8' || model.shape.length !== 1)
      throw new InvalidArgumentError(`the model must be a vector of uint8, got ${model.dtype}[${model.shape}]`)
    const known = made.get(model.data)
    if (known !== undefined) return known
    const fresh = new make(model.data)
    made.set(model.data, fresh)
    return fresh
  }
}

const wordpieceOf = made(new WeakMap(), FastWordpiece)
const normalizerOf = made(new WeakMap(), FastNormalizer)

const tokenize: Op = {
  outputs: ['output_subwords', 'output_ids', 'output_row_splits', 'start_values', 'end_values'],
  evaluate(call) {
    const { bytes, offsets, length } = texts(call, 0)
    const tokenizer = wordpieceOf(call, 1)
    const found: Found = { values: new StringsBuilder(4 * length), ids: [], starts: [], ends: [] }
    const splits = [0]
    for (let i = 0; i < length; i++) {
      tokenizer.tokenize(bytes, offsets[i], offsets[i + 1], found)
      splits.push(found.ids.length)
    }
    return [strings(found.values), int64(found.ids), int64(splits), int64(found.starts), int64(found.ends)]
  },
}

const detokenize: Op = {
  evaluate(call) {
    const [ids, rows] = call.inputs
    const tokenizer = wordpieceOf(call, 2)
    if (ids.dtype !== 'int32') throw new TypeError(`input_values must be int32, got ${ids.dtype}`)
    const splits = integersOf(rows, 'input_row_splits')
    checkSplits(splits, ids.data.length)
    const words = new StringsBuilder(splits.length)
    for (let row = 0; row + 1 < splits.length; row++)
      words.push(tokenizer.detokenize(ids.data, splits[row], splits[row + 1]))
    return strings(words)
  },
}

/** Offsets are only where `get_offsets` asks for them: of each text one a byte, and one of its end. */
const normalize: Op = {
  outputs: ['output_values', 'output_offsets', 'output_row_splits'],
  evaluate(call) {
    const { bytes, offsets, length } = texts(call, 0)
    const normalizer = normalizerOf(call, 1)
    const places: number[] | null = call.attrs.boolean('get_offsets', false) ? [] : null
    const out = new StringsBuilder(length)
    const splits = [0]
    for (let i = 0; i < length; i++) {
      normalizer.normalize(bytes, offsets[i], offsets[i + 1], out, places)
      splits.push(places?.length ?? 0)
    }
    return [tensor('string', [length], out.finish()), int64(places ?? []), int64(splits)]
  },
}

export const ops: Readonly<Record<string, Op>> = {
  FastWordpieceTokenizeWithOffsets: tokenize,
  'TFText>FastWordpieceDetokenize': detokenize,
  FastBertNormalize: normalize,
}
