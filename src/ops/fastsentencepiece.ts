import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { StringsBuilder, tensor } from '../tensor/index.ts'
import { integersOf, integerTensor } from './integers.ts'
import { extrasOf } from './sentencepiece.ts'
import { text } from './strings.ts'
import { FastDecoder, FastEncoder } from './text/sentencepiece/fast.ts'
import { checkSplits, strings } from './tokens.ts'

// The fast SentencePiece ops of tensorflow_text, after core/kernels/sentencepiece/sentencepiece_*_kernel.cc. Their models
// are tensors of bytes that the graph holds.

/** What `make` makes of the model that input 0 is, made once for each tensor. */
function made<T>(make: new (model: Uint8Array) => T): (call: Call) => T {
  const known = new WeakMap<Uint8Array, { readonly value: T }>()
  return ({ inputs: [model] }) => {
    if (model.dtype !== 'uint8') throw new InvalidArgumentError(`sp_model must be uint8, got ${model.dtype}`)
    const found = known.get(model.data)
    if (found !== undefined) return found.value
    const value = new make(model.data)
    known.set(model.data, { value })
    return value
  }
}

const encoderOf = made(FastEncoder)
const decoderOf = made(FastDecoder)

/** Neither nbest_size nor alpha counts: the best way is taken. */
const tokenize: Op = {
  outputs: ['output_values', 'output_splits'],
  evaluate(call) {
    const encoder = encoderOf(call)
    const texts = text(call, 1).data
    const extras = extrasOf(call, 4)
    const ids: number[] = []
    const splits = [0]
    for (let i = 0; i < texts.length; i++) {
      for (const id of encoder.encode(texts.at(i), extras)) ids.push(id)
      splits.push(ids.length)
    }
    return [
      tensor('int32', [ids.length], Int32Array.from(ids)),
      integerTensor(call.attrs.dtype('Tsplits', 'int32'), [splits.length], splits),
    ]
  },
}

const detokenize: Op = {
  evaluate(call) {
    const decoder = decoderOf(call)
    const ids = integersOf(call.inputs[1], 'input_values')
    const splits = integersOf(call.inputs[2], 'input_splits')
    checkSplits(splits, ids.length)
    const texts = new StringsBuilder(splits.length)
    for (let row = 0; row + 1 < splits.length; row++) texts.push(decoder.decode(ids, splits[row], splits[row + 1]))
    return strings(texts)
  },
}

export const ops: Readonly<Record<string, Op>> = {
  'TFText>FastSentencepieceTokenize': tokenize,
  'TFText>FastSentencepieceDetokenize': detokenize,
}
