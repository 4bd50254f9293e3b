import { describe, expect, test } from 'vitest'
import { writeBytes } from '../../../src/platform/nodebytes.ts'

/** A file that notes where it was written, and takes so many bytes at a time. */
function noting(most: number) {
  const calls: { offset: number; length: number; position: number }[] = []
  const write = async (_: unknown, offset: number, length: number, position: number) => {
    // As Node refuses it.
    if (length > 2 ** 31 - 1) throw new RangeError('The value of "length" is out of range.')
    const bytesWritten = Math.min(most, length)
    calls.push({ offset, length: bytesWritten, position })
    return { bytesWritten, buffer: new Uint8Array() }
  }
  return { calls, file: { write: write as never } }
}

describe('writing bytes', () => {
  test('gives one call no more than Node takes: an array may be larger than 2 GiB', async () => {
    const { calls, file } = noting(Number.POSITIVE_INFINITY)
    await writeBytes(file, new Uint8Array(2 ** 31 + 5), 7, 'weights.bin')
    expect(calls).toEqual([
      { offset: 0, length: 2 ** 30, position: 7 },
      { offset: 2 ** 30, length: 2 ** 30, position: 7 + 2 ** 30 },
      { offset: 2 ** 31, length: 5, position: 7 + 2 ** 31 },
    ])
  })

  test('goes on where a call wrote fewer bytes than it was given', async () => {
    const { calls, file } = noting(2)
    await writeBytes(file, new Uint8Array(5), 0, 'a')
    expect(calls.map(({ offset, length }) => [offset, length])).toEqual([
      [0, 2],
      [2, 2],
      [4, 1],
    ])
  })

  test('names the file that cannot be written', async () => {
    const write = () => Promise.reject(new Error('ENOSPC: no space left on device, write'))
    await expect(writeBytes({ write: write as never }, new Uint8Array(1), 0, 'a/weights.bin')).rejects.toThrow(
      '"a/weights.bin" cannot be written: ENOSPC: no space left on device, write',
    )
  })
})
