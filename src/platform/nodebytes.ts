import type { FileHandle } from 'node:fs/promises'

/** Most bytes that one write call is given; Node's own limit is 2 GiB − 1. */
const MOST_WRITTEN = 2 ** 30

/**
 * Writes all of `bytes` into the open file from `position` on; a call may write fewer than it is given.
 * @param path for messages
 * @throws {Error} that names the file: of a full disk alone nobody knows which
 */
export async function writeBytes(
  file: Pick<FileHandle, 'write'>,
  bytes: Uint8Array,
  position: number,
  path: string,
): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const length = Math.min(bytes.length - done, MOST_WRITTEN)
    const { bytesWritten } = await file.write(bytes, done, length, position + done).catch((error: Error) => {
      throw new Error(`"${path}" cannot be written: ${error.message}`, { cause: error })
    })
    done += bytesWritten
  }
}
