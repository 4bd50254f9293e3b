import { ARRAYS, partOf, type ReadDType, type Tensor, type TypedArray } from '../tensor/index.ts'

/** weights.bin in memory. */
export interface StoredWeights {
  readonly byteLength: number
  /** So many bytes from the start lie in memory that may grow: a view of them is good while `growths` is the same. */
  readonly linear: number
  readonly growths: number
  /** Bytes `start` up to `end`, which lie on one side of `linear`. */
  view(start: number, end: number): Uint8Array
}

/** Numbers of weights.bin, from `offset` on. In memory that may grow they are asked for anew when it has. */
export function storedTensor(
  weights: StoredWeights,
  dtype: Exclude<ReadDType, 'string' | 'resource' | 'variant'>,
  shape: readonly number[],
  offset: number,
  byteLength: number,
): Tensor {
  const array = ARRAYS[partOf(dtype)]
  const read = (): TypedArray => {
    const { buffer, byteOffset } = weights.view(offset, offset + byteLength)
    return new array(buffer as ArrayBuffer, byteOffset, byteLength / array.BYTES_PER_ELEMENT)
  }
  let data = read()
  if (offset >= weights.linear) return { dtype, shape, data } as Tensor
  let { growths } = weights
  return {
    dtype,
    shape,
    get data() {
      if (growths !== weights.growths) {
        data = read()
        growths = weights.growths
      }
      return data
    },
  } as Tensor
}
