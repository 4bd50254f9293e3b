import type { Node } from '../graph/index.ts'
import type { Seen } from './record.ts'
import { numbersOf } from './stage.ts'

// What an op does to text and numbers, in words. `content` is the place of the input that holds the value.

type Words = (seen: Seen, node: Node, content: number) => string

const fixed =
  (text: string): Words =>
  () =>
    text
const quoted = (text: string): string => JSON.stringify(text)
/** Up to six digits. */
const short = (value: number): string => String(Number(value.toPrecision(6)))

/** The other operand: its number, or the first where each element has its own. */
function other({ inputs }: Seen, content: number): string {
  const values = numbersOf(inputs[1 - content])
  const own = values.every((value) => value === values[0]) ? values.slice(0, 1) : values
  return `${own.slice(0, 3).map(short).join(' ')}${own.length > 3 ? ' …' : ''}`
}

const binary =
  (forwards: string, backwards: string = forwards): Words =>
  (seen, _, content) =>
    content === 0 ? `${forwards} ${other(seen, content)}` : backwards.replace('…', other(seen, content))

const text = (seen: Seen, i: number): string => {
  const input = seen.inputs[i]
  return input?.dtype === 'string' && input.data.length > 0 ? input.data.text(0) : ''
}

const split: Words = (seen) => (text(seen, 1) === '' ? 'split at white space' : `split at ${quoted(text(seen, 1))}`)

const replaced = (pattern: string, rewrite: string): string =>
  rewrite === '' ? `${quoted(pattern)} removed` : `${quoted(pattern)} replaced by ${quoted(rewrite)}`

const REPLACED = fixed('replaced (missing, masked or out of range)')

const count = (seen: Seen): number => seen.outputs[0]?.shape.at(-1) ?? 0

export const WORDS: Readonly<Record<string, Words>> = {
  StringLower: fixed('lower-cased'),
  StringUpper: fixed('upper-cased'),
  StringStrip: fixed('stripped'),
  StringJoin: fixed('joined'),
  ReduceJoin: fixed('joined'),
  Substr: fixed('cut'),
  CaseFoldUTF8: fixed('case folded'),
  NormalizeUTF8: (_, { attrs }) => `normalised to ${attrs.string('normalization_form', '')}`,
  FastBertNormalize: fixed("normalised as BERT's"),
  UnicodeEncode: fixed('split into characters'),
  StaticRegexReplace: (_, { attrs }) => replaced(attrs.string('pattern', ''), attrs.string('rewrite', '')),
  RegexReplace: (seen) => replaced(text(seen, 1), text(seen, 2)),
  StringSplit: split,
  StringSplitV2: split,
  RegexSplitWithOffsets: fixed('split by a regex'),
  StringNGrams: (_, { attrs }) => `n-grams of ${attrs.numbers('ngram_widths').join(' and ')}`,
  'TFText>WhitespaceTokenizeWithOffsetsV2': fixed('split at white space'),
  WordpieceTokenizeWithOffsets: fixed('word pieces'),
  FastWordpieceTokenizeWithOffsets: fixed('word pieces'),
  SentencepieceTokenizeOp: fixed('SentencePiece'),
  SentencepieceTokenizeWithOffsetsOp: fixed('SentencePiece'),
  StringToNumber: fixed('read as a number'),
  Cast: (_, { attrs }) => `as ${attrs.dtype('DstT')}`,
  AsString: fixed('written as text'),
  DecodeBase64: fixed('base64 decoded'),
  TensorScatterUpdate: fixed('ids of what is out of vocabulary put in'),
  RaggedTensorToTensor: (seen) => `padded or cut to ${count(seen)}`,
  SparseFillEmptyRows: fixed('the default, where nothing is left'),
  SparseToDense: (seen) => `padded to ${count(seen)}`,
  PadV2: (seen) => `padded to ${count(seen)}`,
  Pad: (seen) => `padded to ${count(seen)}`,
  ConcatV2: fixed('put together'),
  Slice: fixed('cut'),
  StridedSlice: fixed('cut'),
  SelectV2: REPLACED,
  Select: REPLACED,
  OneHot: (seen) => `one-hot of ${count(seen)}`,
  DenseBincount: (seen) => `counted into ${count(seen)}`,
  RaggedBincount: (seen) => `counted into ${count(seen)}`,
  SparseBincount: (seen) => `counted into ${count(seen)}`,
  Bincount: (seen) => `counted into ${count(seen)}`,
  Add: binary('plus', '… plus it'),
  AddV2: binary('plus', '… plus it'),
  Sub: binary('minus', '… minus it'),
  Mul: binary('times', 'times …'),
  RealDiv: binary('divided by', '… divided by it'),
  DivNoNan: binary('divided by', '… divided by it'),
  FloorDiv: binary('divided by', '… divided by it'),
  FloorMod: binary('modulo', '… modulo it'),
  Maximum: binary('at least', 'at least …'),
  Minimum: binary('at most', 'at most …'),
  ClipByValue: fixed('clipped'),
  Log1p: fixed('log(1 + x)'),
  Log: fixed('log'),
  Exp: fixed('exp'),
  Sqrt: fixed('square root'),
  Square: fixed('squared'),
  Abs: fixed('absolute value'),
  Neg: fixed('negated'),
  Sigmoid: fixed('logistic'),
  Tanh: fixed('tanh'),
  Relu: fixed('at least 0'),
  'twotower>L2Normalize': fixed('to unit length'),
  'twotower>LayerNorm': fixed('normalised, scaled and shifted'),
}

/** What an op does to rows of an embedding table. */
export const POOLING: Readonly<Record<string, Words>> = {
  Sum: fixed('summed'),
  Mean: fixed('averaged'),
  Max: fixed('greatest of each'),
  SegmentSum: fixed('summed'),
  SegmentMean: fixed('averaged'),
  SparseSegmentSum: fixed('summed'),
  SparseSegmentMean: fixed('averaged'),
  SparseSegmentSqrtN: fixed('summed, divided by the root of their number'),
  'twotower>PoolRows': (_, { attrs }) => (attrs.string('combiner') === 'mean' ? 'averaged' : 'summed'),
  DivNoNan: binary('divided by', '… divided by it'),
  RealDiv: binary('divided by', '… divided by it'),
  'twotower>L2Normalize': fixed('to unit length'),
  Select: REPLACED,
  SelectV2: REPLACED,
}
