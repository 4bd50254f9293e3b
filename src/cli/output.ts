import { lstat, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { failLater } from './stdio.ts'
import { unfinishedName } from './unfinished.ts'

/** Where a command writes: standard output, or a file that is whole or not there. */
export interface Output {
  readonly stream: Writable
  /** Gives the file its name. @throws what kept it from being written */
  keep(): Promise<void>
  /** Removes what was written. */
  discard(): Promise<void>
}

/**
 * Opens `path`, or standard output where there is none. A file has a name of its own until it is kept, so that whoever
 * looks sees the whole old one or the whole new one; its folder is made where there is none. What is no file of
 * its own, a device, a pipe or a link (/dev/stdout), is written as it comes: a rename would replace it.
 */
export async function openOutput(path: string | undefined): Promise<Output> {
  const nothing = async () => {}
  if (path === undefined || path === '-') return { stream: process.stdout, keep: nothing, discard: nothing }
  const there = await lstat(path).catch(() => null)
  if (there?.isDirectory()) throw new Error(`"${path}" is a folder; choose a file`)
  if (there === null) await mkdir(dirname(path), { recursive: true })
  const isFile = there === null || there.isFile()
  const unfinished = isFile ? unfinishedName(path) : path
  const stream = (await open(unfinished, 'w')).createWriteStream()
  failLater(stream, path)
  return {
    stream,
    async keep() {
      stream.end()
      await finished(stream)
      if (isFile) await rename(unfinished, path)
    },
    async discard() {
      stream.destroy()
      if (isFile) await rm(unfinished, { force: true })
    },
  }
}
