import { availableParallelism } from 'node:os'
import { inOrder } from '../embed/inorder.ts'
import { sharedBundle } from '../embed/shared.ts'
import { modelOf } from '../load.ts'
import { folderAt } from '../platform/open.ts'
import { readManifest, unflatten } from '../weights/index.ts'
import { Embedders, type Loaded } from './embedders.ts'
import { EXIT, UsageError } from './exit.ts'
import { type LoadingOptions, loadOptions } from './loading.ts'
import { openOutput } from './output.ts'
import { piecesOf } from './pieces.ts'
import { Progress } from './progress.ts'
import { countOf, write } from './stdio.ts'

export interface EmbedOptions extends LoadingOptions {
  readonly tower?: string
  readonly output?: string
  readonly batch: string
  readonly workers?: string
}

/** Embeds rows of raw features, one JSON object a line; answers in order, a bad row with an error in its place. */
export async function embed(path: string, files: readonly string[], options: EmbedOptions): Promise<void> {
  const batch = countOf('--batch', options.batch)
  const workers = options.workers === undefined ? null : countOf('--workers', options.workers)
  const loaded = await loadShared(path, options)
  const side = sideOf(loaded, options.tower)
  const embedders = new Embedders(
    loaded,
    { side, batch },
    { workers: workers ?? availableParallelism(), eager: workers !== null },
  )
  const output = await openOutput(options.output)
  const progress = new Progress('rows')
  let failed = 0
  try {
    const answers = inOrder(
      piecesOf(files, batch),
      (piece) => embedders.answer(piece),
      () => embedders.window,
    )
    for await (const answer of answers) {
      failed += answer.failed
      await write(output.stream, answer.text)
      progress.step(answer.rows)
    }
    await output.keep()
  } catch (error) {
    await output.discard()
    throw error
  } finally {
    progress.stop()
    await embedders.end()
  }
  if (failed > 0) process.exitCode = EXIT.failed
}

/** The model at `path`; a bundle's weights lie where workers can read them too. */
async function loadShared(path: string, options: LoadingOptions): Promise<Loaded> {
  const { tags, deterministic = false } = loadOptions(options)
  const folder = await folderAt(path)
  const shared = await sharedBundle(folder)
  const definition =
    shared === null
      ? await (await import('../define.ts')).define(folder, tags === undefined ? {} : { tags })
      : unflatten(readManifest(shared.manifest), shared.weights)
  return { definition, model: await modelOf(definition, { deterministic }), shared, deterministic }
}

/** Which tower is meant. @throws {UsageError} where that is open, {RangeError} where there is no such tower */
function sideOf({ model }: Loaded, tower: string | undefined): 'query' | 'candidate' {
  const { query, candidate } = model.structure
  const side = tower ?? (candidate === null || query !== null ? 'query' : 'candidate')
  if (side !== 'query' && side !== 'candidate')
    throw new UsageError(`--tower must be query or candidate, got ${JSON.stringify(side)}`)
  if (tower === undefined && query !== null && candidate !== null)
    throw new UsageError('the model has two towers: choose one with --tower query or --tower candidate')
  // A tower that there is not is one error, not one a row.
  model[side]
  return side
}
