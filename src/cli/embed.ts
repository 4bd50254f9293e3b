import { availableParallelism } from 'node:os'
import { definitionIn, openBundle } from '../bundle.ts'
import { watchedModel } from '../embed/answer.ts'
import { inOrder } from '../embed/inorder.ts'
import { FRESH } from '../embed/journal.ts'
import type { AnswerLayout } from '../embed/piece.ts'
import { flatDefinition, sharedFlat, sharedOf } from '../embed/shared.ts'
import { xxh32By } from '../engine/checksum.ts'
import type { Model } from '../engine/model.ts'
import { compileSharedKernels } from '../engine/variants.ts'
import { folderAt } from '../platform/open.ts'
import { Embedders, type Loaded } from './embedders.ts'
import { outputKind } from './embedformats.ts'
import { inputsOf, shareOf } from './embedinputs.ts'
import { type OutputOptions, openEmbedOutput } from './embedoutput.ts'
import { EmbedProgress } from './embedprogress.ts'
import { EXIT, UsageError } from './exit.ts'
import { FileOutput } from './fileoutput.ts'
import { type LoadingOptions, loadOptions } from './loading.ts'
import { piecesOf } from './pieces.ts'
import { countOf } from './stdio.ts'

export interface EmbedOptions extends LoadingOptions, OutputOptions {
  readonly tower?: string
  readonly format?: string
  readonly part?: string
  readonly batch: string
  readonly workers?: string
  readonly summary?: boolean
}

/** Embeds rows of raw features; answers in order, a bad row with an error in its place or in a file of its own. */
export async function embed(path: string, files: readonly string[], options: EmbedOptions): Promise<void> {
  const batch = countOf('--batch', options.batch)
  const workers = options.workers === undefined ? null : countOf('--workers', options.workers)
  const { layout, holdsErrors } = outputKind(options.output, options.outputFormat)
  const inputs = await inputsOf(files, options.format, options.part === undefined ? null : shareOf(options.part))
  const loaded = await loadShared(path, options)
  const side = sideOf(loaded, options.tower)
  const output = await openEmbedOutput(options, loaded, { inputs, tower: side })
  const from = output instanceof FileOutput ? output.from : FRESH
  const columns = columnsOf(loaded.model, side, layout)
  const errors = holdsErrors && options.errors === undefined ? 'in place' : 'apart'
  const embedders = new Embedders(
    loaded,
    { side, batch, layout, errors, formats: [...new Set(inputs.map(({ format }) => format))] },
    { workers: workers ?? availableParallelism(), eager: workers !== null },
  )
  const progress = new EmbedProgress(inputs, from)
  let { at } = from
  try {
    const answers = inOrder(
      piecesOf(inputs, { batch, shard: output.shardRows, columns }, at),
      async ({ piece, after }) => ({ answer: await embedders.answer(piece), after }),
      () => embedders.window,
    )
    for await (const { answer, after } of answers) {
      at = after
      await output.write(answer, after)
      progress.step(answer, after)
    }
    await output.keep(at)
  } catch (error) {
    await output.leave()
    throw error
  } finally {
    progress.stop()
    await embedders.end()
  }
  if (options.summary || process.stderr.isTTY) for (const line of progress.summary()) process.stderr.write(`${line}\n`)
  if (progress.failed > 0) process.exitCode = EXIT.failed
}

/** The model at `path`; a bundle's weights lie where workers can read them too. */
async function loadShared(path: string, options: LoadingOptions): Promise<Loaded> {
  const { tags, deterministic = false } = loadOptions(options)
  const folder = await folderAt(path)
  const bundle = await openBundle(folder, true)
  if (bundle === null) {
    const { define } = await import('../define.ts')
    const definition = await define(folder, tags === undefined ? {} : { tags })
    // Once: where the run may be gone on with, its manifest is asked for before threads are.
    let flat: ReturnType<typeof flatDefinition> | null = null
    const laid = () => {
      flat ??= flatDefinition(definition)
      return flat
    }
    return {
      ...(await watchedModel(definition, { deterministic })),
      manifest: async () => (await laid()).manifest,
      shared: async () => sharedFlat(await laid()),
      deterministic,
    }
  }
  const { memory } = bundle
  const wasm = await compileSharedKernels({ deterministic })
  const definition = await definitionIn(bundle, xxh32By(wasm, memory))
  const watched = await watchedModel(definition, { deterministic, wasm, memory })
  const shared = sharedOf(bundle)
  return { ...watched, manifest: async () => shared.manifest, shared: async () => shared, deterministic }
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

/** The columns that are worth reading of a format that has columns; null for all, where rows are given back whole. */
function columnsOf(model: Model, side: 'query' | 'candidate', layout: AnswerLayout): readonly string[] | null {
  if (layout === 'batch-prediction' || layout === 'vector-search') return null
  return ['id', 'key', 'embedding', 'data', ...model[side].features.map(({ name }) => name)]
}
