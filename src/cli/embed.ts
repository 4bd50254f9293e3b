import { lstat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { inOrder } from '../embed/inorder.ts'
import { FRESH } from '../embed/journal.ts'
import { sharedBundle, sharedDefinition } from '../embed/shared.ts'
import { TEXT } from '../embed/sink.ts'
import { crc32cBy } from '../engine/checksum.ts'
import { compileKernels } from '../engine/variants.ts'
import { modelOf } from '../load.ts'
import { folderAt } from '../platform/open.ts'
import { readManifest, unflatten } from '../weights/index.ts'
import { Embedders, type Loaded } from './embedders.ts'
import { originOf } from './embedorigin.ts'
import { EXIT, UsageError } from './exit.ts'
import { FileOutput } from './fileoutput.ts'
import { type LoadingOptions, loadOptions } from './loading.ts'
import { piecesOf } from './pieces.ts'
import { Progress } from './progress.ts'
import { countOf } from './stdio.ts'
import { StreamOutput } from './streamoutput.ts'

export interface EmbedOptions extends LoadingOptions {
  readonly tower?: string
  readonly output?: string
  readonly batch: string
  readonly workers?: string
  readonly resume?: boolean
}

/** Embeds rows of raw features, one JSON object a line; answers in order, a bad row with an error in its place. */
export async function embed(path: string, files: readonly string[], options: EmbedOptions): Promise<void> {
  const batch = countOf('--batch', options.batch)
  const workers = options.workers === undefined ? null : countOf('--workers', options.workers)
  const inputs = files.length === 0 ? ['-'] : files
  const loaded = await loadShared(path, options)
  const side = sideOf(loaded, options.tower)
  const embedders = new Embedders(
    loaded,
    { side, batch },
    { workers: workers ?? availableParallelism(), eager: workers !== null },
  )
  const output = await outputOf(options, inputs, loaded, side)
  const from = output instanceof FileOutput ? output.from : FRESH
  const progress = new Progress('rows')
  let [failed, at] = [from.failed, from.at]
  try {
    const answers = inOrder(
      piecesOf(inputs, { batch, shard: Number.POSITIVE_INFINITY }, at),
      async ({ piece, after }) => ({ answer: await embedders.answer(piece), after }),
      () => embedders.window,
    )
    for await (const { answer, after } of answers) {
      failed += answer.failed
      at = after
      await output.write(answer, after)
      progress.step(answer.rows)
    }
    await output.keep(at)
  } catch (error) {
    await output.leave()
    throw error
  } finally {
    progress.stop()
    await embedders.end()
  }
  if (failed > 0) process.exitCode = EXIT.failed
}

/** Where the answers go: a file that is whole or not there, or what is written as it comes. */
async function outputOf(
  { output, resume = false }: EmbedOptions,
  inputs: readonly string[],
  { shared, definition, deterministic }: Loaded,
  tower: string,
): Promise<FileOutput | StreamOutput> {
  const path = output === '-' ? undefined : output
  const there = path === undefined ? null : await lstat(path).catch(() => null)
  if (path === undefined || (there !== null && !there.isFile() && !there.isDirectory())) {
    if (resume) throw new UsageError('--resume needs -o with a file: what was written must be there to go on with')
    return StreamOutput.open(path ?? null)
  }
  if (there?.isDirectory()) throw new Error(`"${path}" is a folder; choose a file`)
  const origin = resume
    ? await originOf(shared ?? sharedDefinition(definition), inputs, { tower, deterministic })
    : null
  return FileOutput.open({ path, format: TEXT, shards: null, origin })
}

/** The model at `path`; a bundle's weights lie where workers can read them too. */
async function loadShared(path: string, options: LoadingOptions): Promise<Loaded> {
  const { tags, deterministic = false } = loadOptions(options)
  const folder = await folderAt(path)
  const [wasm, shared] = [await compileKernels({ deterministic }), await sharedBundle(folder)]
  const definition =
    shared === null
      ? await (await import('../define.ts')).define(folder, tags === undefined ? {} : { tags })
      : unflatten(readManifest(shared.manifest), shared.weights, crc32cBy(wasm))
  return { definition, model: await modelOf(definition, { deterministic, wasm }), shared, deterministic }
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
