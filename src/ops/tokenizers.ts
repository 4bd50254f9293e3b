import { InvalidArgumentError } from '../errors.ts'
import type { Op, Table } from '../graph/index.ts'
import { StringIndex, StringsBuilder, tensor } from '../tensor/index.ts'
import { integersOf, placesOf } from './integers.ts'
import { scalarText, text } from './strings.ts'
import { StaticTable } from './tables/static.ts'
import { regexOf } from './text/regex.ts'
import { characterAt, codeOf, lengthOf } from './text/utf8.ts'
import { eachWord } from './text/whitespace.ts'
import { WordpieceCutter } from './text/wordpiece.ts'
import { checkSplits, int32, int64, strings, texts } from './tokens.ts'

// Tokenizers of tensorflow_text that take texts, after its core/kernels: tokens, the bytes at which they begin and end,
// and where each text's end.

/** Whether the vocabulary that `table` is has a token: one whose id is -1 it has not. */
function vocabularyOf(table: Table): (bytes: Uint8Array, start: number, end: number) => boolean {
  const { keys, values } = table.export()
  if (keys.dtype !== 'string' || values.dtype !== 'int64') {
    throw new InvalidArgumentError(`the vocabulary must map string to int64, got ${keys.dtype} to ${values.dtype}`)
  }
  const index = table instanceof StaticTable ? new StringIndex(keys.data, table.slots) : new StringIndex(keys.data)
  const ids = values.data
  return (bytes, start, end) => {
    const position = index.find(bytes, start, end)
    return position >= 0 && ids[position] !== -1n
  }
}

/** Words as WordPieces (wordpiece_kernel.cc). A word too long that is replaced ends where the token in its place does. */
const wordpiece: Op = {
  outputs: ['output_values', 'output_row_lengths', 'start_values', 'limit_values'],
  stateful: true,
  evaluate(call) {
    const { bytes, offsets, length } = text(call, 0).data
    const [, handle] = call.inputs
    const table = handle.dtype === 'resource' ? (handle.data[0] as Table) : undefined
    if (table?.kind !== 'table') throw new TypeError(`vocab_lookup_table must be a lookup table, got ${handle.dtype}`)
    const { attrs } = call
    const suffix = attrs.bytes('suffix_indicator')
    const longest = attrs.number('max_bytes_per_word')
    const unknown = attrs.boolean('use_unknown_token') ? attrs.bytes('unknown_token') : null
    const splits = attrs.string('output_row_partition_type', 'row_lengths') === 'row_splits'
    const cutter = new WordpieceCutter({
      has: vocabularyOf(table),
      suffix,
      mostCharacters: attrs.number('max_chars_per_token', 0),
      splitUnknown: attrs.boolean('split_unknown_characters', false),
    })
    const values = new StringsBuilder(2 * length)
    const [starts, limits]: number[][] = [[], []]
    const rows = splits ? [0] : []
    const whole = (from: number, to: number, limit: number) => {
      if (unknown === null) values.pushRange(bytes, from, to)
      else values.push(unknown)
      starts.push(0)
      limits.push(limit)
    }
    for (let i = 0; i < length; i++) {
      const [from, to] = [offsets[i], offsets[i + 1]]
      const before = starts.length
      if (to - from > longest) whole(from, to, unknown === null ? to - from : unknown.length)
      else if (!cutter.cut(bytes, from, to)) whole(from, to, to - from)
      else {
        let start = 0
        cutter.ends.forEach((end, piece) => {
          if (start > 0) values.append(suffix, 0, suffix.length)
          if (cutter.unknown[piece] && unknown !== null) values.append(unknown, 0, unknown.length)
          else values.append(bytes, from + start, from + end)
          values.close()
          starts.push(start)
          limits.push(end)
          start = end
        })
      }
      rows.push(splits ? starts.length : starts.length - before)
    }
    return [strings(values), int64(rows), int64(starts), int64(limits)]
  },
}

/**
 * What lies between delimiters, and those delimiters that all match the other pattern (regex_split.cc). A delimiter is the
 * pattern's first group; a NUL ends a text, which goes as a C string.
 */
const regexSplit: Op = {
  outputs: ['tokens', 'begin_offsets', 'end_offsets', 'row_splits'],
  evaluate(call) {
    const { bytes, offsets, length } = text(call, 0).data
    const [delimiter, kept] = [scalarText(call, 1, 'Pattern'), scalarText(call, 2, 'Pattern')]
    const [regex, keep] = [regexOf(delimiter), regexOf(kept)]
    const tokens = new StringsBuilder(length * 8)
    const [begins, ends, splits]: number[][] = [[], [], [0]]
    let nul = bytes.indexOf(0)
    for (let i = 0; i < length; i++) {
      const start = offsets[i]
      if (nul >= 0 && nul < start) nul = bytes.indexOf(0, start)
      const end = nul >= 0 && nul < offsets[i + 1] ? nul : offsets[i + 1]
      const push = (from: number, to: number) => {
        tokens.pushRange(bytes, from, to)
        begins.push(from - start)
        ends.push(to - start)
      }
      let last = start
      regex.consume(bytes, start, end, (_, to, groupFrom, groupTo) => {
        if (groupFrom > last) push(last, groupFrom)
        if (kept.length > 0 && keep.fullMatch(bytes.subarray(groupFrom, groupTo))) push(groupFrom, groupTo)
        last = to
      })
      if (end > last) push(last, end)
      splits.push(begins.length)
    }
    return [strings(tokens), int64(begins), int64(ends), int64(splits)]
  },
}

/** Words between white space, which a set of bits by code point tells (whitespace_tokenizer.cc). */
const whitespaceBytes: Op = {
  outputs: ['output_tokens', 'output_row_splits', 'output_start_offsets', 'output_end_offsets'],
  evaluate(call) {
    const { bytes, offsets, length } = texts(call, 0)
    const config = text(call, 1).data.at(0)
    const tokens = new StringsBuilder(length * 8)
    const [starts, ends, splits]: number[][] = [[], [], [0]]
    for (let i = 0; i < length; i++) {
      const first = offsets[i]
      eachWord(bytes, first, offsets[i + 1], config, (from, to) => {
        tokens.pushRange(bytes, from, to)
        starts.push(from - first)
        ends.push(to - first)
      })
      splits.push(starts.length)
    }
    return [strings(tokens), int64(splits), int32(starts), int32(ends)]
  },
}

/** byte_splitter.cc */
const bytesOf: Op = {
  outputs: ['output_bytes', 'output_row_splits', 'output_start_offsets', 'output_end_offsets'],
  evaluate(call) {
    const { bytes, offsets, length } = texts(call, 0)
    const used = bytes.slice(offsets[0], offsets[length])
    const starts = new Int32Array(used.length)
    for (let i = 0, at = 0; i < length; i++)
      for (let place = 0; place < offsets[i + 1] - offsets[i]; place++) starts[at++] = place
    const splits = Array.from(offsets, (offset) => offset - offsets[0])
    return [
      tensor('uint8', [used.length], used),
      int64(splits),
      tensor('int32', [used.length], starts),
      tensor(
        'int32',
        [used.length],
        starts.map((start) => start + 1),
      ),
    ]
  },
}

/** byte_splitter.cc, SplitByOffsets */
const byOffsets: Op = {
  outputs: ['output_values', 'output_row_splits'],
  evaluate(call) {
    const { bytes, offsets, length } = texts(call, 0)
    const [starts, ends] = [placesOf(call.inputs[1]), placesOf(call.inputs[2])]
    const splits = integersOf(call.inputs[3], 'input_row_splits')
    checkSplits(splits, Math.min(starts.length, ends.length))
    if (splits.length <= length) throw new InvalidArgumentError(`${splits.length} row splits for ${length} texts`)
    const values = new StringsBuilder(starts.length)
    for (let i = 0; i < length; i++) {
      const size = offsets[i + 1] - offsets[i]
      for (let at = splits[i]; at < splits[i + 1]; at++) {
        if (starts[at] < 0 || ends[at] > size || starts[at] > ends[at])
          throw new InvalidArgumentError(`offsets ${starts[at]} to ${ends[at]} are out of range 0 to ${size}`)
        values.pushRange(bytes, offsets[i] + starts[at], offsets[i] + ends[at])
      }
    }
    const rows = splits.slice(0, length + 1).map((split) => split - splits[0])
    return [strings(values), int64(rows)]
  },
}

/** Code points as bits, the lowest first (utf8_binarize.cc). */
const binarize: Op = {
  evaluate(call) {
    const { bytes, offsets, length } = texts(call, 0)
    const [characters, bits] = [call.attrs.number('word_length'), call.attrs.number('bits_per_char')]
    const replacement = call.attrs.number('replacement_char')
    const data = new Float32Array(length * characters * bits)
    for (let i = 0; i < length; i++) {
      let at = offsets[i]
      for (let place = 0; place < characters && at < offsets[i + 1]; place++) {
        const character = characterAt(bytes, at, offsets[i + 1])
        const code = codeOf(character) < 0 ? replacement : codeOf(character)
        for (let bit = 0; bit < bits; bit++)
          data[(i * characters + place) * bits + bit] = (code >> Math.min(bit, 31)) & 1
        at += lengthOf(character)
      }
    }
    return tensor('float32', [length, characters * bits], data)
  },
}

export const ops: Readonly<Record<string, Op>> = {
  WordpieceTokenizeWithOffsets: wordpiece,
  RegexSplitWithOffsets: regexSplit,
  'TFText>WhitespaceTokenizeWithOffsetsV2': whitespaceBytes,
  'TFText>ByteSplitWithOffsets': bytesOf,
  'TFText>ByteSplitByOffsets': byOffsets,
  'TFText>Utf8Binarize': binarize,
}
