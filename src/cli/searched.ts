import { statSync } from 'node:fs'
import type { Model } from '../engine/model.ts'
import { compileKernels } from '../engine/variants.ts'
import { load } from '../load.ts'
import { ExactIndex } from '../search/exact.ts'
import { ItemIndex } from '../search/itemindex.ts'
import { EXIT, report, UsageError } from './exit.ts'
import { itemsOf } from './items.ts'
import { type LoadingOptions, loadOptions } from './loading.ts'
import { notKnown } from './similarity.ts'
import { countOf } from './stdio.ts'

export interface SearchedOptions extends LoadingOptions {
  readonly approximate?: boolean
  readonly leaves?: string
  readonly items?: string
  readonly index?: string
  readonly batch: string
}

/** What a command line of `search` names. */
export interface Searched {
  /** Null where queries are embeddings. */
  readonly model: Model | null
  /** Where the items come from, for messages. */
  readonly from: string
  readonly index: ExactIndex | ItemIndex
  /** The files of queries. */
  readonly files: readonly string[]
}

/**
 * The model and the items that are searched. Over an index, which has its own similarity, the first path is a model only
 * where it is a folder or an address.
 * @throws {UsageError} where the items are missing or named twice
 * @throws {RangeError} where there is none
 */
export async function searchedBy(paths: readonly string[], options: SearchedOptions): Promise<Searched> {
  if ((options.items === undefined) === (options.index === undefined))
    throw new UsageError('search wants items: --items FILE of rows, or --index FILE that `twotower index` wrote')
  const searched =
    options.index === undefined ? await overItems(paths, options) : await overIndex(paths, options, options.index)
  const { index, from } = searched
  if ((index instanceof ItemIndex ? index.size : index.ids.length) === 0)
    throw new RangeError(`there is no item to search in ${from}`)
  return searched
}

async function overItems([path, ...files]: readonly string[], options: SearchedOptions): Promise<Searched> {
  if (options.approximate === true || options.leaves !== undefined)
    throw new UsageError('--approximate and --leaves go with --index: a file of items has no partitions')
  if (path === undefined) throw new UsageError('search wants a MODEL with --items; with --index it may be left out')
  const [chosen, batch, from] = [loadOptions(options), countOf('--batch', options.batch), options.items as string]
  const model = await load(path, chosen)
  const { similarity, notes } = model.structure
  if (similarity === null) throw notKnown(notes)
  const { ids, vectors, attributes } = await itemsOf(model, from, batch, (problem) => {
    process.exitCode = EXIT.failed
    report(new Error(problem))
  })
  const index = new ExactIndex(ids, vectors, similarity, { kernels: await compileKernels(chosen), attributes })
  return { model, from, index, files }
}

async function overIndex(paths: readonly string[], options: SearchedOptions, from: string): Promise<Searched> {
  const chosen = loadOptions(options)
  if (chosen.similarity !== undefined)
    throw new UsageError(
      '--similarity does not go with --index: an index has its own, which `twotower index` was given',
    )
  const named = paths.length > 0 && isModel(paths[0])
  const model = named ? await load(paths[0], chosen) : null
  const index = await ItemIndex.open(from, { kernels: await compileKernels(chosen) })
  if ((options.approximate === true || options.leaves !== undefined) && !index.partitioned)
    throw new RangeError(`${from} has no partitions to search approximately: leave out --approximate and --leaves`)
  return { model, from, index, files: named ? paths.slice(1) : paths }
}

const isModel = (path: string): boolean =>
  /^[a-z][a-z\d+.-]+:\/\//i.test(path) || (statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false)
