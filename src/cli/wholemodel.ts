import { check } from '../check/check.ts'
import type { Model } from '../engine/model.ts'
import { type BundleBytes, type LoadOptions, load, type Watching } from '../load.ts'
import type { Folder } from '../platform/folder.ts'
import { nodeThread } from '../platform/nodethread.ts'
import { folderAt } from '../platform/open.ts'
import { MANIFEST } from '../weights/index.ts'

/** What a thread that converts is started with. */
export interface ConvertWorkerData {
  readonly path: string
  readonly tags?: readonly string[]
}

/** What it gives back. */
export interface Converted {
  readonly manifest: string
  readonly weights: Uint8Array
}

/**
 * Of a model that is still being copied some signatures may run already.
 * @throws where files are missing or damaged
 */
export async function refuseUnfinished(folder: Folder, tags?: readonly string[]): Promise<void> {
  const { problems } = await check(folder, tags)
  const said = problems.map(({ file, problem }) => (file === null ? problem : `${file}: ${problem}`))
  if (said.length > 0) throw new Error(said.join('; '))
}

/** The model at `path`, all of it. @throws where files are missing or damaged */
export async function loadWhole(path: string, options: LoadOptions & Watching): Promise<Model> {
  await refuseUnfinished(await folderAt(path), options.tags)
  return load(path, options)
}

/**
 * The same while requests are answered: a SavedModel, which takes long to read, is converted in a thread, and what is left
 * to do here is what loading a bundle takes.
 */
export async function loadBeside(path: string, options: LoadOptions & Watching): Promise<Model> {
  if ((await (await folderAt(path)).list('')).includes(MANIFEST)) return loadWhole(path, options)
  const { tags, ...rest } = options
  const data: ConvertWorkerData = { path, ...(tags === undefined ? {} : { tags }) }
  const thread = nodeThread(new URL('../cli/convertworker.js', import.meta.url), data)
  try {
    const bundle = await new Promise<Converted>((resolve, reject) => {
      thread.listen((message) => resolve(message as Converted), reject)
    })
    return await load(bundle satisfies BundleBytes, rest)
  } finally {
    await thread.end()
  }
}
