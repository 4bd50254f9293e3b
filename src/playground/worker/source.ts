import type { ModelDefinition } from '../../graph/index.ts'
import { readBundle } from '../../load.ts'
import { blobSource } from '../../platform/files.ts'
import { type Folder, folderOf, readFile } from '../../platform/folder.ts'
import { folderAt } from '../../platform/open.ts'
import { MANIFEST } from '../../weights/index.ts'
import type { Offer, Opened, Picked } from '../protocol.ts'

/** A bundle needs none of it. */
const importer = () => import('../../define.ts')

const SAVED_MODEL = 'saved_model.pb'
const QUERY = /query|user|viewer|member|customer/i
const CANDIDATE = /candidate|item|film|movie|product|document/i

/** A model that was found, and how its files lay. */
export interface Read {
  readonly name: string
  readonly kind: Opened['kind']
  readonly bytes: number | null
  /** What it took to read it. */
  readonly milliseconds: number
  readonly definition: ModelDefinition
}

/** Reads the model at an address of the site or of a server. */
export async function readOffer({ name, model }: Offer): Promise<Read> {
  const folder = await folderAt(new URL(model, location.href))
  return timed(async () => ({ name, bytes: null, ...(await readFolder(folder)) }))
}

async function timed(work: () => Promise<Omit<Read, 'milliseconds'>>): Promise<Read> {
  const begin = performance.now()
  const read = await work()
  return { ...read, milliseconds: performance.now() - begin }
}

async function readFolder(folder: Folder): Promise<Pick<Read, 'kind' | 'definition'>> {
  if ((await readFile(folder, MANIFEST)) !== null) return { kind: 'bundle', definition: await readBundle(folder) }
  const { define } = await importer()
  return { kind: 'SavedModel', definition: await define(folder) }
}

/**
 * Reads the model among the files that the visitor gave: a bundle, a SavedModel, the newest of numbered versions, or a
 * pair of SavedModels whose folders say which is which.
 * @throws {RangeError} where there is none, or where there are several
 */
export const readPicked = (picked: readonly Picked[]): Promise<Read> => timed(() => readAmong(picked))

async function readAmong(picked: readonly Picked[]): Promise<Omit<Read, 'milliseconds'>> {
  const found = newest(modelFolders(picked.map(({ path }) => path)))
  const [only] = found
  if (found.length === 0) throw new RangeError(noModel(picked))
  const bytes = picked
    .filter(({ path }) => found.some((folder) => within(path, folder)))
    .reduce((sum, { file }) => sum + file.size, 0)
  if (found.length === 1)
    return {
      name: nameOf(only, picked),
      bytes,
      ...(await readFolder(folderWithin(picked, only, nameOf(only, picked)))),
    }
  const sides = [QUERY, CANDIDATE].map((words) => found.filter((folder) => words.test(lastName(folder))))
  if (found.length > 2 || sides.some((folders) => folders.length !== 1) || sides[0][0] === sides[1][0])
    throw new RangeError(
      `there are ${found.length} models in it (${found.map((folder) => folder || '.').join(', ')}): drop one of them, or two whose folders are called after the query and the candidate`,
    )
  const [query, candidate] = sides.map(([folder]) => folderWithin(picked, folder, lastName(folder)))
  const parent = only.split('/').slice(0, -1).join('/')
  const { define } = await importer()
  const definition = await define({ query, candidate })
  return { name: lastName(parent) || 'the model', kind: 'pair of SavedModels', bytes, definition }
}

/** The folders that hold a bundle or a SavedModel, '' for what was given itself. */
function modelFolders(paths: readonly string[]): string[] {
  const folders = paths.flatMap((path) => {
    const at = path.lastIndexOf('/')
    return [MANIFEST, SAVED_MODEL].includes(path.slice(at + 1)) ? [path.slice(0, Math.max(at, 0))] : []
  })
  return [...new Set(folders)].sort()
}

/** Of folders whose names are numbers, the versions of one model, the newest. */
function newest(folders: readonly string[]): string[] {
  const versions = new Map<string, string>()
  return folders
    .filter((folder) => {
      if (!/^\d+$/.test(lastName(folder))) return true
      const parent = folder.slice(0, -lastName(folder).length)
      const before = versions.get(parent)
      if (before === undefined || BigInt(lastName(folder)) > BigInt(lastName(before))) versions.set(parent, folder)
      return false
    })
    .concat([...versions.values()])
}

const within = (path: string, folder: string): boolean => folder === '' || path.startsWith(`${folder}/`)
const lastName = (folder: string): string => folder.slice(folder.lastIndexOf('/') + 1)

function nameOf(folder: string, picked: readonly Picked[]): string {
  const names = folder.split('/').filter((name) => name !== '' && !/^\d+$/.test(name))
  return names.at(-1) ?? picked[0]?.path.split('/').at(-2) ?? 'the model'
}

function folderWithin(picked: readonly Picked[], folder: string, name: string): Folder {
  const start = folder === '' ? 0 : folder.length + 1
  const files = picked
    .filter(({ path }) => within(path, folder))
    .map(({ path, file }) => [path.slice(start), file] as const)
  return folderOf(name, new Map(files), blobSource)
}

function noModel(picked: readonly Picked[]): string {
  const names = picked.slice(0, 3).map(({ path }) => path)
  const shown = names.length === 0 ? 'nothing' : `${names.join(', ')}${picked.length > names.length ? ' and more' : ''}`
  return `this is no model: a SavedModel's folder holds ${SAVED_MODEL}, a bundle's ${MANIFEST} and weights.bin; there came ${shown}`
}

/** Files of rows, beside the model or on their own: lines of JSON. */
export const rowFiles = (picked: readonly Picked[]): readonly Picked[] =>
  picked.filter(({ path }) => /\.(jsonl|ndjson)$/i.test(path))
