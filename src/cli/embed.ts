import { load } from '../load.ts'
import { float32Text, jsonText } from '../serve/json.ts'
import { embedLines } from './embedding.ts'
import { EXIT, UsageError } from './exit.ts'
import { type LoadingOptions, loadOptions } from './loading.ts'
import { openOutput } from './output.ts'
import { Progress } from './progress.ts'
import { countOf, readLines, write } from './stdio.ts'

export interface EmbedOptions extends LoadingOptions {
  readonly tower?: string
  readonly output?: string
  readonly batch: string
}

/** Embeds rows of raw features, one JSON object a line; answers in order, a bad row with an error in its place. */
export async function embed(path: string, files: readonly string[], options: EmbedOptions): Promise<void> {
  const batch = countOf('--batch', options.batch)
  const model = await load(path, loadOptions(options))
  const { query, candidate } = model.structure
  const side = options.tower ?? (candidate === null || query !== null ? 'query' : 'candidate')
  if (side !== 'query' && side !== 'candidate')
    throw new UsageError(`--tower must be query or candidate, got ${JSON.stringify(side)}`)
  if (options.tower === undefined && query !== null && candidate !== null)
    throw new UsageError('the model has two towers: choose one with --tower query or --tower candidate')
  // A tower that there is not is one error, not one a row.
  model[side]

  const output = await openOutput(options.output)
  const progress = new Progress('rows')
  let failed = 0
  try {
    for await (const { at, name, embedding, error } of embedLines(readLines(files), model, side, batch)) {
      const members = Object.entries(name).map(([key, value]) => `${JSON.stringify(key)}: ${jsonText(value)}`)
      if (embedding !== undefined) members.push(`"embedding": [${Array.from(embedding, float32Text).join(', ')}]`)
      else {
        failed++
        members.push(`"error": ${JSON.stringify(`${at}: ${error}`)}`)
      }
      await write(output.stream, `{${members.join(', ')}}\n`)
      progress.step()
    }
    await output.keep()
  } catch (error) {
    await output.discard()
    throw error
  } finally {
    progress.stop()
  }
  if (failed > 0) process.exitCode = EXIT.failed
}
