// What TensorFlow answered, as test/fixtures/make writes it, for any runtime.

const ARRAYS = {
  float16: Float32Array,
  bfloat16: Float32Array,
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
}

const bytesOf = (value) =>
  typeof value === 'object'
    ? Uint8Array.from(atob(value.b64), (char) => char.charCodeAt(0))
    : new TextEncoder().encode(value)

/** The tensor that a golden's JSON stands for. */
export function tensorOf({ dtype, shape, data }) {
  if (dtype === 'string') return { dtype, shape, data: data.map(bytesOf) }
  const Array_ = ARRAYS[dtype]
  const convert = Array_ === BigInt64Array || Array_ === BigUint64Array ? BigInt : Number
  return { dtype, shape, data: Array_.from(data, convert) }
}

/** The bytes of a result, strings with their lengths, so that equal bytes are equal tensors. */
export function bytesOfTensor({ dtype, data }) {
  if (dtype !== 'string') return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const strings = data.map((value) => (typeof value === 'string' ? new TextEncoder().encode(value) : value))
  return concat(strings.flatMap((bytes) => [new Uint8Array(Uint32Array.of(bytes.length).buffer), bytes]))
}

export function concat(pieces) {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

/** @throws where `got` is not what TensorFlow answered: exactly, or for floats within 1e-5 relative or 1e-6 absolute */
export function expectTensor(got, golden, what) {
  const wanted = tensorOf(golden)
  if (got?.dtype !== wanted.dtype || String(got.shape) !== String(wanted.shape))
    throw new Error(`${what}: TensorFlow says ${wanted.dtype}[${wanted.shape}], got ${got?.dtype}[${got?.shape}]`)
  if (wanted.dtype === 'string') {
    const [a, b] = [bytesOfTensor(got), bytesOfTensor(wanted)]
    if (a.length !== b.length || a.some((byte, i) => byte !== b[i])) throw new Error(`${what}: other strings`)
    return
  }
  const loose = { bfloat16: 1e-2, float16: 2e-3 }[golden.dtype] ?? 1e-5
  const isFloat = golden.dtype.includes('float')
  wanted.data.forEach((b, i) => {
    const a = got.data[i]
    if (Object.is(a, b) || a === b) return
    const off = isFloat ? Math.abs(a - b) : Number.POSITIVE_INFINITY
    if (!(off <= 1e-6 || off <= loose * Math.abs(b))) throw new Error(`${what}[${i}]: TensorFlow says ${b}, got ${a}`)
  })
}
