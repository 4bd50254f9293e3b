import { npyHeader } from '../embed/output/npy.ts'
import type { ExportFormat } from './export.ts'
import { idLines } from './ids.ts'
import { VectorBuffer } from './vectorbuffer.ts'

/** NumPy's `.npy`, float32 of items by numbers, and beside it the ids, a JSON string a line. */
export const NPY: ExportFormat = {
  paths: (path) => [path, `${path.replace(/\.npy$/i, '')}.ids.jsonl`],
  sink([matrix, beside], { size, width }) {
    const [vectors, ids] = [new VectorBuffer(matrix), idLines(beside)]
    return {
      async write({ id, embedding }) {
        if (matrix.size === 0) await matrix.append(npyHeader(size, width))
        await vectors.add(embedding)
        await ids.add(id)
      },
      async end() {
        if (matrix.size === 0) await matrix.append(npyHeader(size, width))
        await vectors.flush()
        await ids.flush()
      },
    }
  },
}
