import type { ArrayDType, BigArray, NumberArray, TypedArray } from '../../tensor/index.ts'
import type { Philox } from './philox.ts'

// How random words become numbers: core/lib/random/random_distributions.h, random_distributions_utils.h, and the order
// in which FillPhiloxRandom (core/kernels/random_op_cpu.h) takes them.

/** Fills `out` from the generator, which it may leave anywhere. */
export type Fill = (generator: Philox, out: TypedArray) => void

/** How a group of four words becomes numbers of `dtype`. */
type Group<T> = (words: Uint32Array) => readonly T[]

function fillGroups<T>(generator: Philox, out: { length: number; [i: number]: T }, group: Group<T>): void {
  for (let i = 0; i < out.length; ) {
    for (const value of group(generator.next())) if (i < out.length) out[i++] = value
  }
}

const numbers =
  (group: Group<number>): Fill =>
  (generator, out) =>
    fillGroups(generator, out as NumberArray, group)

const bigs =
  (group: Group<bigint>): Fill =>
  (generator, out) =>
    fillGroups(generator, out as BigArray, group)

/** [0, 1) with 23 bits. */
const single = (word: number): number => (word & 0x7fffff) / 2 ** 23
/** [0, 1) with 52 bits. */
export const double = (high: number, low: number): number => ((high & 0xfffff) * 2 ** 32 + low) / 2 ** 52
const wide = (words: Uint32Array, i: number): bigint => BigInt(words[2 * i]) | (BigInt(words[2 * i + 1]) << 32n)

/** Uniform in [0, 1); half floats take the lowest bits of a word, as many as they can hold. */
export const UNIFORM: Partial<Record<ArrayDType, Fill>> = {
  float32: numbers((words) => [...words].map(single)),
  float64: numbers((words) => [double(words[0], words[1]), double(words[2], words[3])]),
  float16: numbers((words) => [...words].map((word) => (word & 0x3ff) / 1024)),
  bfloat16: numbers((words) => [...words].map((word) => (word & 0x7f) / 128)),
}

/** Uniform in [low, high), slightly in favour of low numbers as TensorFlow's is. */
export function uniformInt(dtype: ArrayDType, low: bigint, high: bigint): Fill {
  const range = high - low
  if (dtype === 'int32' || dtype === 'uint32') {
    const [from, span] = [Number(low), Number(range)]
    return numbers((words) => [...words].map((word) => from + (word % span)))
  }
  return bigs((words) => [0, 1].map((i) => low + (wide(words, i) % range)))
}

/** Every number of the dtype alike. */
export const FULL_INT: Partial<Record<ArrayDType, Fill>> = {
  int32: numbers((words) => [...words]),
  uint32: numbers((words) => [...words]),
  int64: bigs((words) => [wide(words, 0), wide(words, 1)]),
  uint64: bigs((words) => [wide(words, 0), wide(words, 1)]),
}

const EPSILON = Math.fround(1e-7)

/** Two normal numbers from two words, in float32's steps. */
function boxMuller(x0: number, x1: number): [number, number] {
  const radius = Math.fround(Math.sqrt(Math.fround(-2 * Math.fround(Math.log(Math.max(single(x0), EPSILON))))))
  const angle = Math.fround(2 * Math.PI * single(x1))
  return [Math.fround(Math.fround(Math.sin(angle)) * radius), Math.fround(Math.fround(Math.cos(angle)) * radius)]
}

/** Two normal numbers from four words. */
function boxMullerDouble(x0: number, x1: number, x2: number, x3: number): [number, number] {
  const radius = Math.sqrt(-2 * Math.log(Math.max(double(x0, x1), 1e-7)))
  const angle = 2 * Math.PI * double(x2, x3)
  return [Math.sin(angle) * radius, Math.cos(angle) * radius]
}

const normals: Fill = numbers(([a, b, c, d]) => [...boxMuller(a, b), ...boxMuller(c, d)])

/** Mean 0, deviation 1. */
export const NORMAL: Partial<Record<ArrayDType, Fill>> = {
  float32: normals,
  float16: normals,
  bfloat16: normals,
  float64: numbers(([a, b, c, d]) => boxMullerDouble(a, b, c, d)),
}

/** Words that are set aside for each output (kReservedSamplesPerOutput). */
const RESERVED = 256

/** The normal distribution between -2 and 2: each group of outputs has a stretch of the stream of its own. */
const truncated =
  (group: number, draw: (word: () => number) => [number, number]): Fill =>
  (generator, out) => {
    for (let start = 0; start < out.length; start += group) {
      const stretch = generator.copy()
      stretch.skip(((start / group) * group * RESERVED) / 4)
      const word = stretch.words()
      for (let i = 0; i < group; ) {
        for (const value of draw(word)) {
          if (Math.abs(value) >= 2 || i === group) continue
          if (start + i < out.length) out[start + i] = value
          i++
        }
      }
    }
  }

const truncatedSingle = truncated(4, (word) => boxMuller(word(), word()))

export const TRUNCATED: Partial<Record<ArrayDType, Fill>> = {
  float32: truncatedSingle,
  float16: truncatedSingle,
  bfloat16: truncatedSingle,
  float64: truncated(2, (word) => boxMullerDouble(word(), word(), word(), word())),
}
