import { InvalidArgumentError } from '../errors.ts'
import type { Attrs, Op } from '../graph/index.ts'
import { tensor } from '../tensor/index.ts'
import { farmFingerprint64 } from './hash/farmhash.ts'

// Strings into buckets after core/kernels/string_to_hash_bucket_op.cc: an unsigned hash modulo the number of buckets.

export const buckets = (hashFor: (attrs: Attrs) => (bytes: Uint8Array) => bigint): Op => ({
  evaluate({ inputs: [x], attrs }) {
    if (x.dtype !== 'string') throw new TypeError(`the input must be string, got ${x.dtype}`)
    const count = attrs.int64('num_buckets')
    if (count < 1n) throw new InvalidArgumentError(`num_buckets must be positive, got ${count}`)
    const hash = hashFor(attrs)
    const out = new BigInt64Array(x.data.length)
    for (let i = 0; i < out.length; i++) out[i] = hash(x.data.at(i)) % count
    return tensor('int64', x.shape, out)
  },
})

export const ops: Readonly<Record<string, Op>> = {
  StringToHashBucketFast: buckets(() => farmFingerprint64),
}
