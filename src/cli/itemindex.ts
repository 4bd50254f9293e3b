import { stat } from 'node:fs/promises'
import type { Model } from '../engine/model.ts'
import { compileKernels } from '../engine/variants.ts'
import { inWords, type Similarity } from '../graph/index.ts'
import type { Json } from '../json/parse.ts'
import { jsonText } from '../json/text.ts'
import { load } from '../load.ts'
import type { PartitionOptions } from '../search/approximate/options.ts'
import { Partitions } from '../search/approximate/partitions.ts'
import type { Datapoint } from '../search/datapoint.ts'
import { type IndexStats, ItemIndex } from '../search/itemindex.ts'
import { heldCandidates } from '../towers/index.ts'
import { datapointsIn } from './datapoints.ts'
import { EXIT, report, UsageError } from './exit.ts'
import { FileRows } from './filerows.ts'
import { definitionAt, type LoadingOptions, loadOptions } from './loading.ts'
import { notKnown, similarityChoice } from './similarity.ts'
import { countOf, readText, shareOf } from './stdio.ts'
import { deletedIn, VECTOR_SEARCH } from './vectorsearchitems.ts'

export interface IndexOptions extends LoadingOptions {
  readonly output?: string
  readonly into?: string
  readonly stats?: boolean
  readonly remove?: readonly string[]
  readonly removeFile?: string
  readonly compact?: boolean
  readonly approximate?: boolean
  readonly leafItems?: string
  readonly leaves?: string
  readonly format?: string
  readonly batch: string
  readonly lastWins?: boolean
  readonly json?: boolean
}

/** Items that are put into a log at once. */
const TOGETHER = 1024

/** Makes an index of items, changes one, or says what is in it. */
export async function index(paths: readonly string[], options: IndexOptions): Promise<void> {
  const { output, into, stats = false, compact = false, remove = [], removeFile } = options
  const removes = remove.length > 0 || removeFile !== undefined
  const approximate = output === undefined && options.approximate === true
  if ([output !== undefined, into !== undefined, stats, compact, removes, approximate].filter(Boolean).length !== 1)
    throw new UsageError(
      'index wants one of -o FILE to make an index, --into FILE to put items in, --stats, --remove, --compact or --approximate',
    )
  const partitions = partitionsOf(options)
  if (output !== undefined) return build(paths, output, options)
  if (into !== undefined) return put(paths, into, options)
  const [file, ...others] = paths
  if (file === undefined || others.length > 0)
    throw new UsageError(`--stats, --remove, --compact and --approximate want one index, got ${paths.length} paths`)
  if (stats) return tell(file, options)
  const kernels = await compileKernels(loadOptions(options))
  const opened = await ItemIndex.open(file, { kernels, searched: false })
  try {
    if (compact) await opened.compact()
    else if (partitions !== null) await partition(opened, partitions)
    else await takeOut(opened, [...remove, ...(removeFile === undefined ? [] : await idsOf(removeFile))])
  } finally {
    await opened.close()
  }
}

async function build(paths: readonly string[], output: string, options: IndexOptions): Promise<void> {
  const { model, path, files } = await modelAndFiles(paths, options)
  const kernels = await compileKernels(loadOptions(options))
  const given = similarityChoice(options).similarity
  let made: ItemIndex
  if (files.length === 0) {
    if (path === null) throw new UsageError('index wants items: files of rows, or an export that holds its candidates')
    const { datapoints, similarity } = await held(path, options)
    made = await ItemIndex.of(datapoints, { similarity: given ?? similarity, source: path, kernels })
  } else {
    const similarity = given ?? model?.structure.similarity ?? null
    if (similarity === null)
      throw model === null
        ? new UsageError('without a model say how items are compared: --similarity dot, cosine or euclidean')
        : notKnown(model.structure.notes)
    const rows = new FileRows()
    const width = model?.structure.candidate?.output.shape?.slice(1).at(-1) ?? undefined
    const how = { ...reading(options), width, found: (file: string, row: number | null) => rows.note(file, row) }
    made = await ItemIndex.of(datapointsIn(model, files, how), {
      similarity,
      duplicates: options.lastWins ? 'last' : 'refuse',
      twice: (id, first, second) => rows.refusal(id, first, second),
      source: files.join(', '),
      kernels,
    })
    if (made.size === 0) throw new RangeError(`there is no item in ${files.join(', ')}: no index is written`)
  }
  const partitions = partitionsOf(options)
  if (partitions !== null) await partition(made, partitions)
  await made.save(output)
  process.stderr.write(`${made.size.toLocaleString('en')} items of ${made.width} numbers in ${output}\n`)
}

/** What the options say of partitions; null where none are wanted. @throws {UsageError} where they do not say it rightly */
function partitionsOf({ approximate = false, leafItems, leaves }: IndexOptions): PartitionOptions | null {
  if (!approximate) {
    if (leafItems === undefined && leaves === undefined) return null
    throw new UsageError('--leaf-items and --leaves go with --approximate: other indexes have no partitions')
  }
  return {
    ...(leafItems !== undefined && { leafNodeEmbeddingCount: countOf('--leaf-items', leafItems) }),
    ...(leaves !== undefined && { fractionLeafNodesToSearch: shareOf('--leaves', leaves) }),
  }
}

/** Where the similarity lets there be none, the index is searched exactly, and that is said. */
async function partition(index: ItemIndex, options: PartitionOptions): Promise<void> {
  const why = Partitions.refusal(index.similarity)
  if (why !== null) {
    process.stderr.write(`no partitions: ${why}\n`)
    return
  }
  const { items, leaves, largest } = await index.partition(options)
  const number = (value: number) => value.toLocaleString('en')
  process.stderr.write(`${number(items)} items in ${number(leaves)} partitions, ${number(largest)} in the largest\n`)
}

async function put(paths: readonly string[], file: string, options: IndexOptions): Promise<void> {
  const { model, files } = await modelAndFiles(paths, options)
  if (files.length === 0) throw new UsageError('--into wants files of items to put in')
  const opened = await ItemIndex.open(file)
  const before = opened.size
  let count = 0
  try {
    let waiting: Datapoint[] = []
    const flush = async () => {
      count += waiting.length
      await opened.upsert(waiting)
      waiting = []
    }
    for await (const datapoint of datapointsIn(model, files, { ...reading(options), width: opened.width })) {
      waiting.push(datapoint)
      if (waiting.length === TOGETHER) await flush()
    }
    await flush()
    const added = opened.size - before
    process.stderr.write(`${count} items put in: ${added} new, ${count - added} replaced; ${opened.size} in ${file}\n`)
    const deleted = options.format === VECTOR_SEARCH ? await deletedIn(files) : []
    if (deleted.length > 0) await takeOut(opened, deleted)
  } finally {
    await opened.close()
  }
}

async function takeOut(opened: ItemIndex, ids: readonly string[]): Promise<void> {
  const removed = await opened.remove(ids)
  process.stderr.write(
    `${removed} items taken out, ${new Set(ids).size - removed} were not there; ${opened.size} left\n`,
  )
}

async function tell(file: string, { json = false, ...options }: IndexOptions): Promise<void> {
  const opened = await ItemIndex.open(file, { kernels: await compileKernels(loadOptions(options)), verify: true })
  const stats = opened.stats()
  const bytes = (await stat(file)).size
  const log = (await stat(`${file}.log`).catch(() => null))?.size ?? 0
  process.stdout.write(
    json ? `${jsonText({ ...stats, bytes, logBytes: log } as unknown as Json)}\n` : inLines(stats, bytes, log),
  )
}

function inLines(
  { items, width, similarity, source, added, removed, attributes, partitions }: IndexStats,
  bytes: number,
  log: number,
) {
  const number = (value: number) => value.toLocaleString('en')
  const { restricts, numericRestricts, crowding } = attributes
  const lines = [
    `${number(items)} items of ${width} numbers, compared by ${inWords(similarity as Similarity)}`,
    `from       ${source}`,
    `file       ${number(bytes)} bytes, all checksums hold`,
    `log        ${number(log)} bytes: ${number(added)} items put in, ${number(removed)} taken out or replaced`,
    ...restricts.map(
      ({ namespace, tokens, allowing, denying }) =>
        `restrict   ${namespace}: ${number(tokens)} tokens; ${number(allowing)} items allow one, ${number(denying)} deny one`,
    ),
    ...numericRestricts.map(
      ({ namespace, type, items: have, least, greatest }) =>
        `number     ${namespace}: ${type}, ${number(have)} items, ${least} to ${greatest}`,
    ),
    ...(partitions === null
      ? []
      : [
          `partitions ${number(partitions.leaves)} of ${number(partitions.items)} items, ${number(partitions.largest)} in the largest; ${number(partitions.bytes)} bytes`,
        ]),
    ...(crowding.tags === 0 ? [] : [`crowding   ${number(crowding.tags)} tags, ${number(crowding.items)} items`]),
  ]
  return `${lines.join('\n')}\n`
}

/** The first path is a model where it is a folder or an address, and the items are rows. */
async function modelAndFiles(
  paths: readonly string[],
  options: IndexOptions,
): Promise<{ readonly model: Model | null; readonly path: string | null; readonly files: readonly string[] }> {
  const [first, ...rest] = paths
  // A folder of Vector Search's files is a batch of items.
  const isModel =
    first !== undefined &&
    options.format !== VECTOR_SEARCH &&
    (/^[a-z][a-z\d+.-]+:\/\//i.test(first) || ((await stat(first).catch(() => null))?.isDirectory() ?? false))
  if (!isModel) return { model: null, path: null, files: paths }
  return { model: rest.length === 0 ? null : await load(first, loadOptions(options)), path: first, files: rest }
}

/** The candidates that an export with a BruteForce or ScaNN layer holds. */
async function held(path: string, options: IndexOptions): Promise<{ datapoints: Datapoint[]; similarity: Similarity }> {
  const definition = await definitionAt(path, options)
  const found = heldCandidates(definition)
  if (found === null)
    throw new UsageError(
      `${path} holds no candidates to be searched, as a BruteForce or a ScaNN layer does: name files of items`,
    )
  const { ids, vectors, width, metric } = found
  const datapoints = ids.map((id, row) => ({ id, embedding: vectors.subarray(row * width, (row + 1) * width) }))
  return { datapoints, similarity: { metric, scale: 1, bias: 0, sigmoid: false } }
}

const reading = (options: IndexOptions) => ({
  batch: countOf('--batch', options.batch),
  format: options.format,
  bad: (problem: string) => {
    process.exitCode = EXIT.failed
    report(new Error(problem))
  },
})

/** An id a line. */
const idsOf = async (file: string): Promise<string[]> =>
  (await readText(file)).split(/\r?\n/).filter((line) => line !== '')
