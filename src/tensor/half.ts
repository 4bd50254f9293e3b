// float16 (IEEE 754 binary16) and bfloat16 (the upper half of a float32). Their tensors hold exactly representable
// values in a Float32Array; an op computes in float32 and rounds its result, as Eigen does on a CPU without half units.

const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/** The value of binary16 `half`. */
export function fromFloat16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/** The binary16 nearest to `value`, ties to even. */
export function toFloat16(value: number): number {
  float[0] = value
  const sign = (bits[0] >>> 16) & 0x8000
  const magnitude = Math.abs(float[0])
  if (Number.isNaN(magnitude)) return sign | 0x7e00
  if (magnitude >= 65520) return sign | 0x7c00
  if (magnitude < 2 ** -14) return sign | halfEven(magnitude * 2 ** 24)
  const exponent = ((bits[0] >>> 23) & 0xff) - 127
  // A carry out of the fraction moves into the exponent, which is the right answer.
  return sign | (((exponent + 15) << 10) + halfEven(magnitude * 2 ** (10 - exponent)) - 1024)
}

/** The value of bfloat16 `brain`. */
export function fromBfloat16(brain: number): number {
  bits[0] = brain << 16
  return float[0]
}

/** The bfloat16 nearest to `value`, ties to even. */
export function toBfloat16(value: number): number {
  float[0] = value
  if (Number.isNaN(value)) return ((bits[0] >>> 16) & 0x8000) | 0x7fc0
  return (bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) >>> 16
}

/** `value` rounded to the nearest integer, ties to even, a negative one to −0 (C's rint in the default mode). */
export function halfEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  const up = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0)
  return up ? floor + 1 || -0 : floor
}
