import { InvalidArgumentError } from '../../errors.ts'
import type { StringsBuilder } from '../../tensor/index.ts'
import { DoubleArray } from './doublearray.ts'
import { FlatTable } from './flatbuffer.ts'
import { characterAt, lengthOf } from './utf8.ts'

/** Fields of fast_bert_normalizer_model.fbs. */
const FIELD = { trie: 1, zero: 2, pool: 3 } as const
/** A character's entry: whether it changes, where its text lies in the pool, and how long it is. */
const DIFFERENT = 0x40000000
const LENGTH_BITS = 6

/** Changes texts character by character, by a model's list of what each becomes (fast_bert_normalizer.h). */
export class FastNormalizer {
  private readonly trie: DoubleArray
  private readonly pool: Uint8Array
  /** Entries of the ASCII characters. */
  private readonly ascii: Int32Array

  /** @throws {InvalidArgumentError} where `model` is none */
  constructor(model: Uint8Array) {
    const table = FlatTable.root(model)
    const [trie, pool] = [table.words(FIELD.trie), table.content(FIELD.pool)]
    if (trie === null || pool === null)
      throw new InvalidArgumentError('FastBertNormalizerModel or its required fields are null')
    this.trie = new DoubleArray(trie)
    this.pool = pool
    this.ascii = Int32Array.from({ length: 128 }, (_, byte) =>
      byte === 0 ? table.int32(FIELD.zero) : this.entry(Uint8Array.of(byte), 0, 1),
    )
  }

  private entry(text: Uint8Array, start: number, end: number): number {
    const node = this.trie.walk(DoubleArray.ROOT, text, start, end)
    return node < 0 ? 0 : Math.max(0, this.trie.valueOf(node))
  }

  /**
   * Appends `text[start … end)` normalised to `out`, and to `places`, where they are wanted, for each byte of it and for
   * its end the place that it comes from.
   */
  normalize(text: Uint8Array, start: number, end: number, out: StringsBuilder, places: number[] | null): void {
    let kept = start
    const keep = (to: number) => {
      out.append(text, kept, to)
      if (places !== null) for (let at = kept; at < to; at++) places.push(at - start)
    }
    for (let at = start; at < end; ) {
      const byte = text[at]
      const next = byte < 128 ? at + 1 : at + lengthOf(characterAt(text, at, end))
      const entry = byte < 128 ? this.ascii[byte] : this.entry(text, at, next)
      if ((entry & DIFFERENT) !== 0) {
        if (at > kept) keep(at)
        const length = entry & ((1 << LENGTH_BITS) - 1)
        const from = (entry & (DIFFERENT - 1)) >> LENGTH_BITS
        if (from + length <= this.pool.length) {
          out.append(this.pool, from, from + length)
          if (places !== null) for (let i = 0; i < length; i++) places.push(at - start)
        }
        kept = next
      }
      at = next
    }
    if (end > kept) keep(end)
    places?.push(end - start)
    out.close()
  }
}
