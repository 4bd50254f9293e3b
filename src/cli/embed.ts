import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { finished } from 'node:stream/promises'
import { load } from '../load.ts'
import { float32Text } from '../serve/json.ts'
import { embedLines } from './embedding.ts'
import { EXIT, UsageError } from './exit.ts'
import { Progress } from './progress.ts'
import { countOf, endOnClosedPipe, readLines, tagsOf, write } from './stdio.ts'

export interface EmbedOptions {
  readonly tower?: string
  readonly output?: string
  readonly batch: string
  readonly tags?: string
}

/** Embeds rows of raw features, one JSON object a line; answers in order, a bad row with an error in its place. */
export async function embed(path: string, files: readonly string[], options: EmbedOptions): Promise<void> {
  const batch = countOf('--batch', options.batch)
  const model = await load(path, tagsOf(options))
  const { query, candidate } = model.structure
  const side = options.tower ?? (candidate === null || query !== null ? 'query' : 'candidate')
  if (side !== 'query' && side !== 'candidate')
    throw new UsageError(`--tower must be query or candidate, got ${JSON.stringify(side)}`)
  if (options.tower === undefined && query !== null && candidate !== null)
    throw new UsageError('the model has two towers: choose one with --tower query or --tower candidate')
  const tower = model[side]

  // Under a name of its own until it is whole.
  const unfinished = options.output === undefined ? null : `${options.output}.${process.pid}.unfinished`
  const output = unfinished === null ? process.stdout : createWriteStream(unfinished)
  if (unfinished === null) endOnClosedPipe()
  const progress = new Progress('rows')
  let failed = 0
  try {
    for await (const { at, name, embedding, error } of embedLines(readLines(files), tower, batch)) {
      const members = Object.entries(name).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`)
      if (embedding !== undefined) members.push(`"embedding": [${Array.from(embedding, float32Text).join(', ')}]`)
      else {
        failed++
        members.push(`"error": ${JSON.stringify(`${at}: ${error}`)}`)
      }
      await write(output, `{${members.join(', ')}}\n`)
      progress.step()
    }
    if (unfinished !== null && options.output !== undefined) {
      output.end()
      await finished(output as ReturnType<typeof createWriteStream>)
      await rename(unfinished, options.output)
    }
  } catch (error) {
    if (unfinished !== null) await rm(unfinished, { force: true })
    throw error
  } finally {
    progress.stop()
  }
  if (failed > 0) process.exitCode = EXIT.failed
}
