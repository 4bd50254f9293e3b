import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import { StringsBuilder, type Tensor } from '../tensor/index.ts'
import { integersOf, placesOf } from './integers.ts'
import { isWhiteSpace } from './text/characters.ts'
import { characterAt, codeOf } from './text/utf8.ts'
import { checkSplits, int64, strings, texts } from './tokens.ts'

// Tokenizers of tensorflow_text that are told, character by character, whether a token begins there.

/** A character's bytes by its first one alone (OneCharLen). */
const leadLength = (byte: number): number => (byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4)

/** Tokens with their places, row by row, of characters that a label each merges with the one before or splits from it. */
class LabelledTokens {
  private readonly values = new StringsBuilder()
  private readonly starts: number[] = []
  private readonly limits: number[] = []
  private readonly splits = [0]

  /** White space belongs to no token; with `forced` it ends one. @throws {InvalidArgumentError} for too few labels */
  row(bytes: Uint8Array, from: number, to: number, labels: number, splitsAt: (i: number) => boolean, forced: boolean) {
    let [count, open, afterSpace] = [0, false, false]
    for (let at = from; at < to; count++) {
      if (count === labels) throw new InvalidArgumentError(`Number of labels ${labels} is insufficient for text`)
      const next = Math.min(to, at + leadLength(bytes[at]))
      const space = isWhiteSpace(codeOf(characterAt(bytes, at, next)))
      if (!space) {
        if (!open || splitsAt(count) || (afterSpace && forced)) {
          if (open) this.values.close()
          this.starts.push(at - from)
          this.limits.push(next - from)
          open = true
        } else this.limits[this.limits.length - 1] = next - from
        this.values.append(bytes, at, next)
      }
      afterSpace = space
      at = next
    }
    if (open) this.values.close()
    this.splits.push(this.starts.length)
  }

  outputs(): Tensor[] {
    return [strings(this.values), int64(this.splits), int64(this.starts), int64(this.limits)]
  }
}

/** split_merge_tokenize_kernel.cc: label 0 splits. */
const splitMerge: Op = {
  outputs: ['output_values', 'output_row_splits', 'start_values', 'limit_values'],
  evaluate(call) {
    const { bytes, offsets, length } = texts(call, 0)
    const labels = placesOf(call.inputs[1], 'labels')
    const splits = integersOf(call.inputs[2], 'row_splits')
    if (splits.length !== length + 1)
      throw new InvalidArgumentError(`Expecting row_splits have ${length + 1} elements, got ${splits.length}`)
    checkSplits(splits, labels.length)
    const forced = call.attrs.boolean('force_split_at_break_character', true)
    const tokens = new LabelledTokens()
    for (let i = 0; i < length; i++) {
      const first = splits[i]
      const splitsAt = (place: number) => labels[first + place] === 0
      tokens.row(bytes, offsets[i], offsets[i + 1], splits[i + 1] - first, splitsAt, forced)
    }
    return tokens.outputs()
  },
}

/** tokenizer_from_logits_kernel.cc: a character splits where its first logit is the larger one. */
const fromLogits: Op = {
  outputs: ['output_values', 'row_splits', 'start_values', 'limit_values'],
  evaluate(call) {
    const { bytes, offsets, length } = texts(call, 0)
    const [, logits, force] = call.inputs
    if (logits.dtype !== 'float32' || force.dtype !== 'bool')
      throw new TypeError(`logits must be float32 and the flag bool, got ${logits.dtype} and ${force.dtype}`)
    const [rows, width, pair] = logits.shape
    if (logits.shape.length !== 3 || rows !== length || pair !== 2)
      throw new InvalidArgumentError(`logits must have shape [${length}, characters, 2], got [${logits.shape}]`)
    const tokens = new LabelledTokens()
    for (let i = 0; i < length; i++) {
      const splitsAt = (place: number) => {
        const at = 2 * (i * width + place)
        return logits.data[at] > logits.data[at + 1]
      }
      tokens.row(bytes, offsets[i], offsets[i + 1], width, splitsAt, force.data[0] !== 0)
    }
    return tokens.outputs()
  },
}

export const ops: Readonly<Record<string, Op>> = {
  SplitMergeTokenizeWithOffsets: splitMerge,
  TokenizerFromLogits: fromLogits,
}
