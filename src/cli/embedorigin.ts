import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Origin } from '../embed/journal.ts'
import type { Json } from '../json/parse.ts'
import { VERSION } from '../version.ts'
import type { Manifest } from '../weights/index.ts'
import type { EmbedInput } from './embedinputs.ts'
import { UsageError } from './exit.ts'

/**
 * What a run of `embed` is started on, to be the same where it is gone on with: the program, the model by its checksums, the
 * inputs by name, size and time, and the options that change what is written.
 * @throws {UsageError} where an input cannot be read again from the middle
 */
export async function originOf(
  model: Manifest,
  files: readonly EmbedInput[],
  options: Readonly<Record<string, Json>>,
): Promise<Origin> {
  const inputs: Json[] = []
  for (const { file, format } of files) {
    const there = file === '-' ? null : await stat(file)
    if (there?.isFile() !== true)
      throw new UsageError(
        `--resume needs files: ${file === '-' ? 'standard input' : `"${file}"`} cannot be read again from the middle`,
      )
    inputs.push({ file: resolve(file), format, bytes: there.size, changed: there.mtimeMs })
  }
  // A manifest holds the checksum of every array; where the model lay does not matter.
  const manifest = JSON.stringify({ ...model, source: '' })
  return { twotower: VERSION, model: createHash('sha256').update(manifest).digest('hex'), inputs, ...options }
}
