// NumPy's format 1.0 to 3.0 (numpy.lib.format): a magic, the header's length, a Python dictionary as text, the numbers.

/** A matrix in a file: its shape, and where and as what its numbers lie. */
export interface NpyMatrix {
  readonly rows: number
  readonly width: number
  readonly dtype: 'float32' | 'float64'
  /** The byte of the first number. */
  readonly start: number
}

/** Enough bytes of a file for `npyMatrix`, in most files. */
export const NPY_HEAD = 1024

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
const DTYPES = { '<f4': 'float32', '<f8': 'float64' } as const

/**
 * Reads the header at the beginning of `bytes`.
 * @throws {RangeError} where it is none, or is not of a matrix of little-endian floats, row by row
 */
export function npyMatrix(bytes: Uint8Array): NpyMatrix {
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) throw new RangeError('it is no .npy file: it does not begin as one')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const wide = bytes[6] > 1
  const text = wide ? 12 : 10
  const start = text + (wide ? view.getUint32(8, true) : view.getUint16(8, true))
  if (start > bytes.length) throw new RangeError(`its header has ${start} bytes, there are ${bytes.length}`)
  const header = new TextDecoder().decode(bytes.subarray(text, start))
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? ''
  const shape = /'shape':\s*\(([^)]*)\)/
    .exec(header)?.[1]
    .split(',')
    .filter((dim) => dim.trim() !== '')
    .map(Number)
  if (/'fortran_order':\s*True/.test(header))
    throw new RangeError('its numbers lie column by column: save it in C order')
  if (!Object.hasOwn(DTYPES, descr))
    throw new RangeError(`its numbers are ${JSON.stringify(descr)}: float32 or float64 is wanted, little-endian`)
  if (shape?.length !== 2 || !shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0))
    throw new RangeError(`its shape is [${shape ?? ''}]: a matrix is wanted, a vector a row`)
  return { rows: shape[0], width: shape[1], dtype: DTYPES[descr as keyof typeof DTYPES], start }
}
