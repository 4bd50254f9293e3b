import { InvalidArgumentError } from '../errors.ts'
import type { Attrs, Op } from '../graph/index.ts'
import { isHalf, isNumeric, sizeOf, type TensorOf } from '../tensor/index.ts'
import { farmFingerprint64 } from './hash/farmhash.ts'
import { hash64 } from './hash/hash64.ts'
import { sipHash24 } from './hash/siphash.ts'
import { buckets } from './hashing.ts'

// The hashes of few exports: with a key, and TensorFlow's first.

const key = (attrs: Attrs): readonly [bigint, bigint] => {
  const words = attrs.int64s('key')
  if (words.length !== 2) throw new InvalidArgumentError(`Key must have 2 elements, got ${words.length}`)
  return [BigInt.asUintN(64, words[0]), BigInt.asUintN(64, words[1])]
}

/**
 * FarmHash's 64-bit fingerprint of each row's bytes, eight bytes of it, the lowest first (kernels/fingerprint_op.cc). Of
 * several strings it is that of the bytes of their fingerprints.
 */
const fingerprint: Op = {
  evaluate({ inputs: [data, method] }) {
    const name = method.dtype === 'string' && method.shape.length === 0 ? method.data.text(0) : null
    if (name === null)
      throw new InvalidArgumentError(`\`method\` must be a scalar string, got ${method.dtype}[${method.shape}]`)
    if (name !== 'farmhash64') throw new InvalidArgumentError(`Unsupported fingerprint method: ${name}`)
    if (data.shape.length === 0) throw new InvalidArgumentError('`data` should be at least one-dimensional')
    const [rows] = data.shape
    const width = sizeOf(data.shape.slice(1))
    if (data.dtype === 'string') {
      const each = fingerprints(rows * width, (i) => data.data.at(i))
      return width === 1
        ? each
        : fingerprints(rows, (row) => each.data.subarray(8 * width * row, 8 * width * (row + 1)))
    }
    if (!isNumeric(data) || isHalf(data.dtype)) throw new TypeError(`the bytes of ${data.dtype} are not fingerprinted`)
    const { buffer, byteOffset, BYTES_PER_ELEMENT } = data.data
    const bytes = width * BYTES_PER_ELEMENT
    return fingerprints(rows, (row) => new Uint8Array(buffer, byteOffset + row * bytes, bytes))
  },
}

function fingerprints(rows: number, bytesOf: (row: number) => Uint8Array): TensorOf<'uint8'> {
  const data = new Uint8Array(8 * rows)
  const view = new DataView(data.buffer)
  for (let row = 0; row < rows; row++) view.setBigUint64(8 * row, farmFingerprint64(bytesOf(row)), true)
  return { dtype: 'uint8', shape: [rows, 8], data }
}

export const ops: Readonly<Record<string, Op>> = {
  Fingerprint: fingerprint,
  StringToHashBucket: buckets(() => hash64),
  StringToHashBucketStrong: buckets((attrs) => {
    const words = key(attrs)
    return (bytes) => sipHash24(words, bytes)
  }),
}
