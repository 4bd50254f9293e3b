import { statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { UnknownWords } from '../embed/unknown.ts'
import type { Model } from '../engine/model.ts'
import type { Watching } from '../load.ts'
import { ServedModel, type Version } from '../serve/models.ts'
import { UsageError } from './exit.ts'
import { log } from './log.ts'
import type { Metrics } from './metrics.ts'
import { VersionFolder } from './versions.ts'

/** A model under its name, and its folder. */
export interface ServedFolder {
  readonly served: ServedModel
  readonly path: string
}

/** Each model under its name. @throws {RangeError} where there is no folder; {UsageError} for names and labels that do not go together */
export function foldersOf(
  paths: readonly string[],
  { name, label = [] }: { readonly name?: string; readonly label?: readonly string[] },
): ServedFolder[] {
  if (name !== undefined && paths.length > 1)
    throw new UsageError('--name is for one model; a folder gives each its name')
  const names = paths.map((path) => name ?? basename(resolve(path)))
  const twice = names.find((each, i) => names.indexOf(each) !== i)
  if (twice !== undefined)
    throw new UsageError(`two folders are called ${JSON.stringify(twice)}: models are served by the folders' names`)
  const labels = label.map((text) => labelOf(text, names))
  return paths.map((path, i) => {
    const status = statSync(path, { throwIfNoEntry: false })
    if (status === undefined) throw new RangeError(`there is no folder at ${JSON.stringify(path)}`)
    if (!status.isDirectory()) throw new RangeError(`${JSON.stringify(path)} is a file; give the folder that holds it`)
    const own = labels.filter(({ model }) => model === names[i]).map((each) => [each.label, each.version] as const)
    return { path, served: new ServedModel(names[i], new Map(own)) }
  })
}

function labelOf(text: string, names: readonly string[]) {
  const [, model = names[0], label, version] = /^(?:(.+):)?([^:=/]+)=(\d{1,19})$/.exec(text) ?? []
  if (label === undefined) throw new UsageError(`--label wants [MODEL:]LABEL=VERSION, got ${JSON.stringify(text)}`)
  if (!names.includes(model)) throw new UsageError(`--label names a model that is not served: ${JSON.stringify(model)}`)
  return { model, label, version: BigInt(version) }
}

export interface VersionMaking {
  /** How many of the newest versions are served. */
  readonly keep: number
  readonly metrics: Metrics
  load(folder: string, watch: NonNullable<Watching['watch']>): Promise<Model>
  /** @param isFirst whether it is the first of the models, whose items are searched */
  version(number: bigint, model: Model, isFirst: boolean): Promise<Version>
}

/** The folders of models with their versions, which tell the log and the metrics what becomes of them. */
export function versionFolders(
  found: readonly ServedFolder[],
  { keep, metrics, load, version }: VersionMaking,
): { readonly served: ServedModel; readonly versions: VersionFolder }[] {
  return found.map(({ served, path }, i) => ({
    served,
    versions: new VersionFolder(served, path, {
      keep,
      async load(folder) {
        const words = new UnknownWords()
        const model = await load(folder, (ops, definition) => {
          words.watchAll(definition)
          return words.counting(ops)
        })
        metrics.watches(served.name, words, keep)
        return model
      },
      version: (number, model) => version(number, model, i === 0),
      tell(event, number, problem) {
        log(event, { model: served.name, version: String(number), ...(problem === undefined ? {} : { problem }) })
        if (served.latest !== null) metrics.serves(served.name, served.latest.number)
      },
    }),
  }))
}

/** Looks after the folders every `poll` milliseconds; never where that is 0. Returns what ends it. */
export function watch(folders: readonly VersionFolder[], poll: number): () => void {
  if (poll === 0) return () => {}
  let timer: NodeJS.Timeout | null = setTimeout(look, poll)
  async function look(): Promise<void> {
    for (const folder of folders) await folder.look()
    if (timer !== null) timer = setTimeout(look, poll)
  }
  return () => {
    if (timer !== null) clearTimeout(timer)
    timer = null
  }
}
