import type { Json } from '../../json/parse.ts'
import type { OutputFormat } from '../sink.ts'
import { widthOf } from './width.ts'

// NumPy's format 1.0 (numpy.lib.format): a header of fixed width, so that the number of rows can be put in at the end, then
// the floats row by row. The ids lie beside it, a JSON string or null a line.

const HEADER = 128
const encoder = new TextEncoder()

/** The header of a matrix of little-endian float32. */
export function npyHeader(rows: number, width: number): Uint8Array {
  const description = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${width}), }`
  const bytes = new Uint8Array(HEADER).fill(32)
  bytes.set([0x93, ...encoder.encode('NUMPY'), 1, 0, HEADER - 10, 0])
  bytes.set(encoder.encode(description), 10)
  bytes[HEADER - 1] = 10
  return bytes
}

export const NPY: OutputFormat = {
  paths: (path) => [path, `${path.replace(/\.npy$/i, '')}.ids.jsonl`],
  sink([matrix, beside], state) {
    let { rows, width } = (state ?? { rows: 0, width: 0 }) as { readonly rows: number; readonly width: number }
    return {
      async write(answer) {
        const { vectors, ids } = answer
        if (matrix.size === 0) await matrix.append(npyHeader(0, 0))
        if (ids.length === 0) return
        width = widthOf(answer, rows > 0 ? width : undefined)
        rows += ids.length
        await matrix.append(new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength))
        await beside.append(encoder.encode(ids.map((id) => `${JSON.stringify(id)}\n`).join('')))
      },
      state: (): Json => ({ rows, width }),
      async end() {
        if (matrix.size === 0) await matrix.append(npyHeader(0, 0))
        await matrix.replace(npyHeader(rows, width))
      },
    }
  },
}
