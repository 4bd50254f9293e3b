import { statSync } from 'node:fs'
import type { Model } from '../engine/model.ts'
import { compileKernels, ExactIndex } from '../search/index.ts'
import { ItemIndex } from '../search/itemindex.ts'
import { answersOf } from '../serve/answers.ts'
import { appOver } from '../serve/app.ts'
import { isOrigin } from '../serve/cors.ts'
import { Models, Version } from '../serve/models.ts'
import type { Observer } from '../serve/observer.ts'
import { EXIT, UsageError } from './exit.ts'
import { itemsOf } from './items.ts'
import { type Listening, listen } from './listening.ts'
import { type LoadingOptions, loadOptions } from './loading.ts'
import { log } from './log.ts'
import { Metrics } from './metrics.ts'
import { playgroundOver } from './playgrounded.ts'
import { foldersOf, versionFolders, watch } from './servedfolders.ts'
import { notKnown } from './similarity.ts'
import { countOf, goOnWithoutReaders, readText } from './stdio.ts'
import { loadBeside, loadWhole } from './wholemodel.ts'

export interface ServeOptions extends LoadingOptions {
  readonly name?: string
  readonly host?: string
  readonly port?: string
  readonly label?: readonly string[]
  readonly items?: string
  readonly index?: string
  readonly versions: string
  readonly poll: string
  readonly maxBatch: string
  readonly maxWait: string
  readonly maxRequests: string
  readonly maxBody: string
  readonly timeout: string
  readonly grace: string
  readonly tokenFile?: string
  readonly cors?: string
  readonly logRequests?: boolean
  readonly playground?: boolean
  readonly examples?: string
}

/** What Vertex AI says to a container by its environment. */
interface VertexEnvironment {
  readonly AIP_HTTP_PORT?: string
  readonly AIP_HEALTH_ROUTE?: string
  readonly AIP_PREDICT_ROUTE?: string
  readonly AIP_STORAGE_URI?: string
}

const ITEMS_TOGETHER = 256
/** Longest that a server which leaves waits for what is under way. */
const LEAVE_WITHIN = 30_000

/** Serves models over HTTP until a signal ends it. */
export async function serve(paths: readonly string[], options: ServeOptions): Promise<void> {
  const vertex: VertexEnvironment = process.env
  const metrics = new Metrics()
  const observer = observerOf(metrics, options.logRequests ?? false)
  const limits = { maxRows: countOf('--max-batch', options.maxBatch), maxWait: amountOf('--max-wait', options.maxWait) }
  const keep = countOf('--versions', options.versions)
  const poll = amountOf('--poll', options.poll) * 1000
  const grace = amountOf('--grace', options.grace)
  const timeout = countOf('--timeout', options.timeout)
  const loading = loadOptions(options)
  const token = await tokenOf(options.tokenFile)
  if (options.playground === true && token.token !== undefined)
    throw new UsageError('--playground gives the models to whoever opens the page: it does not go with a token')
  if (options.examples !== undefined && options.playground !== true)
    throw new UsageError('--examples are rows for the page of --playground')
  const { cors } = options
  if (cors !== undefined && !isOrigin(cors))
    throw new UsageError(`--cors wants an origin, as https://shop.example, or *; got ${JSON.stringify(cors)}`)
  let serving = false
  const index = await indexAt(options)
  const alone = index !== null && (vertex.AIP_STORAGE_URI ?? '') === ''
  const found = foldersOf(paths.length > 0 || alone ? paths : [storageOf(vertex)], options)
  const folders = versionFolders(found, {
    keep,
    metrics,
    load: (folder, watch) => (serving ? loadBeside : loadWhole)(folder, { ...loading, watch }),
    version: async (number, model, isFirst) =>
      new Version(number, model, limits, observer, isFirst ? await indexOf(model, options.items, index) : null),
  })
  const models = new Models(folders.map(({ served }) => served))
  const { AIP_HEALTH_ROUTE: health, AIP_PREDICT_ROUTE: predict } = vertex
  let leaving = false
  const answer = answersOf(models, {
    maxBody: countOf('--max-body', options.maxBody),
    maxRequests: countOf('--max-requests', options.maxRequests),
    timeout,
    observer,
    leaving: () => leaving,
    metrics: () => metrics.page(),
    routes: { ...(health === undefined ? {} : { health }), ...(predict === undefined ? {} : { predict }) },
    ...(index !== null && { index }),
    ...token,
    ...(cors !== undefined && { cors }),
  })
  const page =
    options.playground === true
      ? await playgroundOver(found, { items: options.items, examples: options.examples })
      : null
  const app = appOver(answer)
  const fetch = (request: Request) => page?.(request) ?? app.fetch(request)
  const listening = await listen(answer, fetch, {
    // Where Vertex says the port, its proxy asks from outside.
    host: options.host ?? (vertex.AIP_HTTP_PORT === undefined ? '127.0.0.1' : '0.0.0.0'),
    port: portOf(options.port ?? vertex.AIP_HTTP_PORT ?? '8501'),
    patience: timeout,
  })
  goOnWithoutReaders()
  log('listening', { address: listening.address })
  const signalled = signal()
  try {
    for (const { versions } of folders) await versions.start()
  } catch (error) {
    await listening.drain(0, 0)
    throw error
  }
  announce(listening.address, models, { index, file: options.index, isPlayground: page !== null })
  serving = true
  const stopped = watch(
    folders.map(({ versions }) => versions),
    poll,
  )
  await signalled
  leaving = true
  log('leaving')
  stopped()
  await leave(listening, grace)
  await index?.close()
  log('left')
}

/** Says on standard output what is served and where. */
function announce(address: string, models: Models, { index, file, isPlayground }: Announced): void {
  const lines = models.all.map(
    ({ name, latest }) => `${name} version ${latest?.number} at ${address}/v1/models/${encodeURIComponent(name)}`,
  )
  if (index !== null)
    lines.push(
      `${index.size} items of ${file} at ${address}/v1/projects/{project}/locations/{location}/indexEndpoints/{endpoint}:findNeighbors`,
    )
  if (isPlayground) lines.push(`playground at ${address}/playground/`)
  process.stdout.write(lines.map((line) => `${line}\n`).join(''))
}

interface Announced {
  readonly index: ItemIndex | null
  /** The file of the index. */
  readonly file: string | undefined
  readonly isPlayground: boolean
}

/** The index of the options; null where they name none. */
async function indexAt({ index, items }: ServeOptions): Promise<ItemIndex | null> {
  if (index === undefined) return null
  if (items !== undefined) throw new UsageError('--items and --index are two sets of items: name one')
  return ItemIndex.open(index, { kernels: await compileKernels() })
}

/**
 * The items to search: those of the index, by its similarity, or of the file `items`, by the model's own.
 * @throws {UsageError} where the model says none
 * @throws {RangeError} where the model's queries do not fit the index
 */
async function indexOf(
  model: Model,
  items: string | undefined,
  index: ItemIndex | null,
): Promise<ExactIndex | ItemIndex | null> {
  if (index !== null) {
    const width = model.structure.query?.output.shape?.at(-1) ?? index.width
    if (width !== index.width)
      throw new RangeError(
        `the query tower gives ${width} dimensions, the items of the index have ${index.width}: they must come from the towers of one model`,
      )
    return index
  }
  if (items === undefined) return null
  const { similarity, notes } = model.structure
  if (similarity === null) throw notKnown(notes)
  const { ids, vectors, attributes } = await itemsOf(model, items, ITEMS_TOGETHER, (problem) =>
    log('item', { problem }),
  )
  return new ExactIndex(ids, vectors, similarity, { kernels: await compileKernels(), attributes })
}

async function leave(listening: Listening, grace: number): Promise<void> {
  const impatient = signal().then(() => process.exit(EXIT.failed))
  await Promise.race([listening.drain(grace, LEAVE_WITHIN), impatient])
}

/** The next SIGTERM or SIGINT. */
const signal = (): Promise<void> =>
  new Promise((resolve) => {
    process.once('SIGTERM', () => resolve())
    process.once('SIGINT', () => resolve())
  })

/** The folder that Vertex AI names. A bucket is where Cloud Storage FUSE mounts it. @throws {UsageError} where it names none */
function storageOf({ AIP_STORAGE_URI: uri }: VertexEnvironment): string {
  if (uri === undefined || uri === '')
    throw new UsageError('name a model: the folder of a SavedModel, of a bundle, or of numbered versions')
  const path = uri.replace(/^gs:\/\//, '/gcs/')
  if (path !== uri && statSync(path, { throwIfNoEntry: false }) === undefined)
    throw new UsageError(
      `AIP_STORAGE_URI is ${uri}, which is not mounted at ${path}: mount it, or put the model into the image and name its folder`,
    )
  return path
}

/** The token that requests must bring: out of a file, or of the environment. It has no option, which others could read. */
async function tokenOf(file: string | undefined): Promise<{ readonly token?: string }> {
  const token = file === undefined ? process.env.TWOTOWER_TOKEN : (await readText(file)).trim()
  if (file !== undefined && token === '') throw new UsageError(`--token-file ${JSON.stringify(file)} is empty`)
  return token === undefined || token === '' ? {} : { token }
}

function observerOf(metrics: Metrics, requests: boolean): Observer {
  return {
    stage: (name, seconds) => metrics.stage(name, seconds),
    batch: (rows, together) => metrics.batch(rows, together),
    answered(contract, method, status, seconds) {
      metrics.answered(contract, method, status, seconds)
      if (requests) log('answered', { contract, method, status, milliseconds: Number((seconds * 1000).toFixed(3)) })
    },
    broke(error) {
      log('broke', { problem: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    },
  }
}

function portOf(value: string): number {
  const port = Number(value)
  if (!Number.isInteger(port) || port < 0 || port > 65_535 || value.trim() === '')
    throw new UsageError(`--port wants a number up to 65535, got ${JSON.stringify(value)}`)
  return port
}

/** A number that is not negative out of an option. @throws {UsageError} where it is none */
function amountOf(option: string, value: string): number {
  const amount = Number(value)
  if (value.trim() === '' || !(amount >= 0 && amount <= 2 ** 31 - 1))
    throw new UsageError(`${option} wants a number that is not negative, got ${JSON.stringify(value)}`)
  return amount
}
