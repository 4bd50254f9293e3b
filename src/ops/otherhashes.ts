import { InvalidArgumentError } from '../errors.ts'
import type { Attrs, Op } from '../graph/index.ts'
import { hash64 } from './hash/hash64.ts'
import { sipHash24 } from './hash/siphash.ts'
import { buckets } from './hashing.ts'

// The hashes of few exports: with a key, and TensorFlow's first.

const key = (attrs: Attrs): readonly [bigint, bigint] => {
  const words = attrs.int64s('key')
  if (words.length !== 2) throw new InvalidArgumentError(`Key must have 2 elements, got ${words.length}`)
  return [BigInt.asUintN(64, words[0]), BigInt.asUintN(64, words[1])]
}

export const ops: Readonly<Record<string, Op>> = {
  StringToHashBucket: buckets(() => hash64),
  StringToHashBucketStrong: buckets((attrs) => {
    const words = key(attrs)
    return (bytes) => sipHash24(words, bytes)
  }),
}
