import { InvalidArgumentError, UnsupportedOpError } from '../errors.ts'
import { type Attrs, type Call, handle, type Op, type Variable } from '../graph/index.ts'
import { StringsBuilder, type Tensor, type TensorOf, tensor } from '../tensor/index.ts'
import { integersOf, integerTensor } from './integers.ts'
import { text } from './strings.ts'
import type { Extras } from './text/sentencepiece/extras.ts'
import { SentencepieceProcessor, type Token } from './text/sentencepiece/processor.ts'
import { checkSplits, int64, strings } from './tokens.ts'

// SentencePiece after tensorflow_text's core/kernels/sentencepiece_kernels.cc.

/** The handle of a model is that of a variable that holds its bytes: so a bundle stores it as it stores variables. */
const held = (name: string, attrs: Attrs): TensorOf<'resource'> => {
  const model = attrs.bytes('model', new Uint8Array(0))
  return handle({ kind: 'variable', name, dtype: 'uint8', value: tensor('uint8', [model.length], model) })
}

const model: Op = { resource: held, evaluate: (call) => held(call.node.name, call.attrs) }

const MADE = new WeakMap<Uint8Array, SentencepieceProcessor>()

/** The model that input 0 is the handle of, at work; made once. */
function processorOf(call: Call): SentencepieceProcessor {
  const [input] = call.inputs
  const resource = input.dtype === 'resource' ? (input.data[0] as Variable) : undefined
  if (resource?.kind !== 'variable' || resource.value?.dtype !== 'uint8')
    throw new TypeError(`sp_handle must be a model of SentencePiece, got ${input.dtype}`)
  const bytes = resource.value.data
  const known = MADE.get(bytes)
  if (known !== undefined) return known
  const made = new SentencepieceProcessor(bytes)
  MADE.set(bytes, made)
  return made
}

const flag = (call: Call, i: number): boolean => {
  const input = call.inputs[i]
  if (input?.dtype !== 'bool') throw new TypeError(`input ${i} must be bool, got ${input?.dtype ?? 'nothing'}`)
  return input.data[0] !== 0
}

/** add_bos, add_eos and reverse, which are inputs from `from` on. */
export const extrasOf = (call: Call, from: number): Extras => ({
  bos: flag(call, from),
  eos: flag(call, from + 1),
  reverse: flag(call, from + 2),
})

/** The pieces of every text, and where each text's end. */
function tokenized(call: Call): { readonly tokens: Token[]; readonly splits: number[] } {
  const processor = processorOf(call)
  const texts = text(call, 1).data
  const sizes = integersOf(call.inputs[2], 'nbest_size')
  if (sizes.some((size) => size !== 0 && size !== 1))
    throw new UnsupportedOpError(
      call.node.op,
      call.node.name,
      `nbest_size ${sizes.find((size) => size !== 0 && size !== 1)} asks for several or random ways to cut a text; the best one, by 0 or 1, is given`,
    )
  if (call.attrs.boolean('return_nbest', false) && sizes[0] !== 1)
    throw new InvalidArgumentError(`When return_nbest is true nbest_size must be >= 1; got ${sizes[0]}`)
  const extras = extrasOf(call, 4)
  const tokens: Token[] = []
  const splits = [0]
  for (let i = 0; i < texts.length; i++) {
    for (const token of processor.encode(texts.at(i), extras)) tokens.push(token)
    splits.push(tokens.length)
  }
  return { tokens, splits }
}

/** Pieces by their ids or, by `out_type`, as strings; and row splits. */
function valuesOf(call: Call, { tokens, splits }: ReturnType<typeof tokenized>): Tensor[] {
  const rows = integerTensor(call.attrs.dtype('Tsplits', 'int64'), [splits.length], splits)
  if (call.attrs.dtype('out_type', 'int32') !== 'string')
    return [
      tensor(
        'int32',
        [tokens.length],
        Int32Array.from(tokens, ({ id }) => id),
      ),
      rows,
    ]
  const values = new StringsBuilder(tokens.length)
  for (const { piece } of tokens) values.push(piece)
  return [strings(values), rows]
}

const tokenize: Op = {
  outputs: ['output_values', 'output_splits'],
  stateful: true,
  evaluate: (call) => valuesOf(call, tokenized(call)),
}

const tokenizeWithOffsets: Op = {
  outputs: ['output_values', 'output_splits', 'output_offset_starts', 'output_offset_limits'],
  stateful: true,
  evaluate(call) {
    const found = tokenized(call)
    const [starts, ends] = [found.tokens.map(({ start }) => start), found.tokens.map(({ end }) => end)]
    return [...valuesOf(call, found), int64(starts), int64(ends)]
  },
}

const pieceOf = ({ model }: SentencepieceProcessor, id: number): Uint8Array => {
  const piece = model.pieces[id]
  if (piece === undefined)
    throw new InvalidArgumentError(`Invalid id: ${id}, the vocabulary has ${model.pieces.length} pieces`)
  return piece
}

/** The texts that rows of ids or of pieces make. */
const detokenize: Op = {
  stateful: true,
  evaluate(call) {
    const processor = processorOf(call)
    const [, values, rows] = call.inputs
    const pieces =
      values.dtype === 'string'
        ? Array.from({ length: values.data.length }, (_, i) => values.data.at(i))
        : integersOf(values, 'input_values').map((id) => pieceOf(processor, id))
    const splits = integersOf(rows, 'input_splits')
    checkSplits(splits, pieces.length)
    const extras = extrasOf(call, 3)
    const texts = new StringsBuilder(splits.length)
    for (let row = 0; row + 1 < splits.length; row++)
      texts.push(processor.decode(pieces.slice(splits[row], splits[row + 1]), extras))
    return strings(texts)
  },
}

const size: Op = {
  stateful: true,
  evaluate: (call) => tensor('int32', [], Int32Array.of(processorOf(call).model.pieces.length)),
}

const idToString: Op = {
  stateful: true,
  evaluate(call) {
    const processor = processorOf(call)
    const ids = call.inputs[1]
    const pieces = new StringsBuilder(16)
    for (const id of integersOf(ids, 'input')) pieces.push(pieceOf(processor, id))
    return tensor('string', ids.shape, pieces.finish())
  },
}

const stringToId: Op = {
  stateful: true,
  evaluate(call) {
    const { model } = processorOf(call)
    const { shape, data } = text(call, 1)
    return tensor(
      'int32',
      shape,
      Int32Array.from({ length: data.length }, (_, i) => model.idOf(data.at(i))),
    )
  },
}

export const ops: Readonly<Record<string, Op>> = {
  SentencepieceOp: model,
  SentencepieceTokenizeOp: tokenize,
  SentencepieceTokenizeWithOffsetsOp: tokenizeWithOffsets,
  SentencepieceDetokenizeOp: detokenize,
  SentencepieceVocabSizeOp: size,
  SentencepieceIdToStringOp: idToString,
  SentencepieceStringToIdOp: stringToId,
}
