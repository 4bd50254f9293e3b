import { createReadStream, existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { NPY_HEAD, npyMatrix } from '../embed/input/npy.ts'
import type { Datapoint } from '../search/datapoint.ts'
import { linesOf } from './stdio.ts'

/** Rows that are read at once. */
const TOGETHER = 4096

/**
 * The vectors of a `.npy` file with the ids that lie beside it as embed writes them, in `NAME.ids.jsonl`, a JSON string a
 * line; without such a file a row's id is its number, from 0.
 * @param known numbers of a vector; by default as many as the matrix has
 * @throws {Error} that names the file, where it is no matrix, is of another width, or has not as many rows as there are ids
 */
export async function* npyItems(file: string, known: number | undefined): AsyncGenerator<Datapoint> {
  const beside = `${file.replace(/\.npy$/i, '')}.ids.jsonl`
  const ids = existsSync(beside) ? linesOf(createReadStream(beside), beside) : null
  const handle = await open(file)
  try {
    const read = async (at: number, length: number): Promise<Uint8Array<ArrayBuffer>> => {
      const { buffer, bytesRead } = await handle.read(new Uint8Array(length), 0, length, at)
      return buffer.subarray(0, bytesRead)
    }
    const { rows, width, dtype, start } = npyMatrix(await read(0, NPY_HEAD))
    if (known !== undefined && width !== known)
      throw new RangeError(`its vectors have ${width} numbers, those of the other items have ${known}`)
    const bytes = dtype === 'float32' ? 4 : 8
    // Before room is made for what the head promises.
    if ((await handle.stat()).size < start + rows * width * bytes)
      throw new RangeError(`it ends before its ${rows} rows of ${width} numbers do`)
    for (let row = 0; row < rows; row += TOGETHER) {
      const count = Math.min(TOGETHER, rows - row)
      const part = await read(start + row * width * bytes, count * width * bytes)
      if (part.length < count * width * bytes) throw new RangeError('it was cut while it was read')
      const { buffer, byteOffset } = part
      const Numbers = dtype === 'float32' ? Float32Array : Float64Array
      const numbers = new Numbers(buffer, byteOffset, count * width)
      for (let i = 0; i < count; i++) {
        const id = ids === null ? String(row + i) : await idOf(ids, beside)
        yield { id, embedding: Float32Array.from(numbers.subarray(i * width, (i + 1) * width)) }
      }
    }
    if (ids !== null && (await ids.next()).done !== true)
      throw new RangeError(`${beside} has more ids than its ${rows} rows`)
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error })
  } finally {
    await handle.close()
  }
}

async function idOf(ids: AsyncIterator<{ readonly at: string; text(): string }>, beside: string): Promise<string> {
  const next = await ids.next()
  if (next.done === true) throw new RangeError(`${beside} has fewer ids than there are rows`)
  const { at, text } = next.value
  const id: unknown = JSON.parse(text())
  if (typeof id !== 'string') throw new TypeError(`${at}: an id is a JSON string, got ${JSON.stringify(id)}`)
  return id
}
