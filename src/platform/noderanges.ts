import { close, fstatSync, openSync, read } from 'node:fs'
import { promisify } from 'node:util'

/** A file that is read by ranges, each a buffer of its own. */
export interface FileRanges {
  readonly byteLength: number
  slice(start: number, end?: number): Promise<ArrayBuffer>
  close(): void
}

/** Opens the file at `path`. @throws what keeps it from being read */
export function openRanges(path: string): FileRanges {
  const descriptor = openSync(path, 'r')
  const byteLength = fstatSync(descriptor).size
  const reading = promisify(read)
  return {
    byteLength,
    async slice(start, end = byteLength) {
      const bytes = new Uint8Array(end - start)
      for (let done = 0; done < bytes.length; ) {
        const { bytesRead } = await reading(descriptor, bytes, done, bytes.length - done, start + done)
        if (bytesRead === 0) throw new Error(`"${path}" ended at byte ${start + done}: it changed while being read`)
        done += bytesRead
      }
      return bytes.buffer
    },
    close: () => close(descriptor),
  }
}
