import type { ExportFormat } from './export.ts'
import { idLines } from './ids.ts'
import { VectorBuffer } from './vectorbuffer.ts'

// What faiss.write_index writes of an IndexIDMap over an IndexFlat (faiss/impl/index_write.cpp), little-endian: four letters
// and a head of the outer index, the same of the inner one, its vectors, then the numbers that the outer one gives them.

const [INNER_PRODUCT, L2] = [0, 1]
/** Behind the count stand two numbers that nothing reads. */
const UNREAD = 1n << 20n

/**
 * FAISS's flat index: IndexFlatIP for the dot product and, of vectors of length 1, for the cosine; IndexFlatL2, which gives
 * squares, for the distance. Where all ids are whole numbers in 64 bits, they are FAISS's; else those are rows, from 0. The
 * ids lie beside it, a JSON string a line.
 */
export const FAISS: ExportFormat = {
  paths: (path) => [path, `${path.replace(/\.faiss$/i, '')}.ids.jsonl`],
  sink([file, beside], { size, width, similarity: { metric, scale } }) {
    if (scale < 0 && metric !== 'euclidean')
      throw new RangeError(`the similarity's scale is ${scale}: FAISS would find the farthest; it has no such index`)
    const [vectors, ids] = [new VectorBuffer(file), idLines(beside)]
    const numbers = new BigInt64Array(size)
    let row = 0
    let whole = true
    const begin = async () => {
      const measure = metric === 'euclidean' ? L2 : INNER_PRODUCT
      await file.append(head('IxMp', width, size, measure))
      await file.append(head(measure === L2 ? 'IxF2' : 'IxFI', width, size, measure))
      await file.append(new Uint8Array(BigUint64Array.of(BigInt(size) * BigInt(width)).buffer))
    }
    return {
      async write({ id, embedding }) {
        if (row === 0) await begin()
        await vectors.add(metric === 'cosine' ? unit(embedding) : embedding)
        await ids.add(id)
        const number = whole ? int64(id) : null
        if (number === null) whole = false
        else numbers[row] = number
        row++
      },
      async end() {
        if (row === 0) await begin()
        await vectors.flush()
        if (!whole) for (let i = 0; i < size; i++) numbers[i] = BigInt(i)
        await file.append(new Uint8Array(BigUint64Array.of(BigInt(size)).buffer))
        await file.append(new Uint8Array(numbers.buffer))
        await ids.flush()
      },
    }
  },
}

function head(letters: string, width: number, size: number, measure: number): Uint8Array {
  const bytes = new Uint8Array(37)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < 4; i++) bytes[i] = letters.charCodeAt(i)
  view.setInt32(4, width, true)
  view.setBigInt64(8, BigInt(size), true)
  view.setBigInt64(16, UNREAD, true)
  view.setBigInt64(24, UNREAD, true)
  // Nothing is left to be trained.
  view.setUint8(32, 1)
  view.setInt32(33, measure, true)
  return bytes
}

/** The number that `id` is the usual text of, or null. */
function int64(id: string): bigint | null {
  if (!/^(?:0|-?[1-9]\d{0,18})$/.test(id)) return null
  const number = BigInt(id)
  return BigInt.asIntN(64, number) === number ? number : null
}

/** Of length 1; a vector of length 0 stays, and has the product 0 with everything. */
function unit(vector: Float32Array): Float32Array {
  let sum = 0
  for (const value of vector) sum += value * value
  return sum === 0 ? vector : vector.map((value) => value / Math.sqrt(sum))
}
