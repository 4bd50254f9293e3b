import type { Tensor } from './tensor.ts'

/** The smallest numbers that are not denormal. */
const LEAST_NORMAL = { float32: 2 ** -126, float64: 2 ** -1022 } as const

export const isDenormal = (value: number, dtype: keyof typeof LEAST_NORMAL): boolean =>
  value < LEAST_NORMAL[dtype] && value > -LEAST_NORMAL[dtype] && value !== 0

/** `t` with zeros in place of denormals, in an array of its own where there are any. */
export function withoutDenormals<T extends Tensor>(t: T): T {
  if (t.dtype !== 'float32' && t.dtype !== 'float64') return t
  const { dtype, data } = t
  for (let i = 0; i < data.length; i++) {
    if (isDenormal(data[i], dtype))
      return { ...t, data: data.map((value) => (isDenormal(value, dtype) ? value * 0 : value)) }
  }
  return t
}
