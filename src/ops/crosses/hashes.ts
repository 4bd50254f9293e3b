import type { Tensor } from '../../tensor/index.ts'
import { farmFingerprint64 } from '../hash/farmhash.ts'
import { sipHash24 } from '../hash/siphash.ts'
import { word } from '../hash/words.ts'
import { checkedSize } from '../layout.ts'
import { type Column, forEachCross } from './columns.ts'

const MULTIPLIER = 0xc6a4a7935bd1e995n
const shiftMix = (value: bigint): bigint => value ^ (value >> 47n)

/** FingerprintCat64 of core/platform/fingerprint.h. */
function fingerprintCat(first: bigint, second: bigint): bigint {
  const mixed = word(shiftMix(word(second * MULTIPLIER)) * MULTIPLIER)
  const joined = word((first ^ MULTIPLIER ^ mixed) * MULTIPLIER)
  return shiftMix(word(shiftMix(joined) * MULTIPLIER))
}

/** The hash of element `i` of a column, of 64 bits without a sign. */
export type FeatureHash = (column: Column, i: number) => bigint

/** Strings by their fingerprint; an int64 stands for itself. */
export const plainHash: FeatureHash = ({ values }, i) =>
  values.dtype === 'string'
    ? farmFingerprint64(values.data.at(i))
    : BigInt.asUintN(64, (values.data as BigInt64Array)[i])

/**
 * SparseCrossHashed's: with `strong`, SipHash under the salt. An int64 is hashed by its lower four bytes only, as the
 * kernel passes the size of its dtype's enum; but in a dense column without `strong` it stands for itself.
 */
export function keyedHash(strong: boolean, salt: readonly [bigint, bigint]): FeatureHash {
  const hash = strong ? (bytes: Uint8Array) => sipHash24(salt, bytes) : farmFingerprint64
  return (column, i) => {
    const { values, dense } = column
    if (values.dtype === 'string') return hash(values.data.at(i))
    if (dense && !strong) return plainHash(column, i)
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setInt32(0, Number(BigInt.asIntN(32, (values.data as BigInt64Array)[i])), true)
    return hash(bytes)
  }
}

/**
 * Crosses as the chained fingerprints of their parts, from `key` on or, where that is null, from the first part's hash;
 * modulo `buckets`, or where there are none modulo the largest int64.
 */
export function crossHashes(
  columns: readonly Column[],
  counts: readonly number[],
  hash: FeatureHash,
  buckets: number,
  key: bigint | null,
): Tensor {
  const total = checkedSize([counts.reduce((sum, count) => sum + count, 0)], 'crosses')
  const modulus = buckets > 0 ? BigInt(buckets) : 2n ** 63n - 1n
  const data = new BigInt64Array(total)
  let at = 0
  forEachCross(columns, counts, (elements) => {
    let chained = key === null ? null : BigInt.asUintN(64, key)
    elements.forEach((element, c) => {
      const next = hash(columns[c], element)
      chained = chained === null ? next : fingerprintCat(chained, next)
    })
    data[at++] = (chained ?? 0n) % modulus
  })
  return { dtype: 'int64', shape: [total], data }
}
