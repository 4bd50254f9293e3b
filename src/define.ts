import type { ModelDefinition, Signature } from './graph/index.ts'
import { type ImportOptions, importModel } from './import/index.ts'
import { type LayerType, lower } from './lower/index.ts'
import { loadOpsFor } from './ops/all.ts'
import { type Folder, memoryFolder, readFile } from './platform/folder.ts'
import { type FetchOptions, type FolderSource, folderAt } from './platform/open.ts'
import { findTowers, pairTowers, type TowerChoices, withFeatures } from './towers/index.ts'

/** Where a model comes from: a folder, wherever it is; or two of them, one a tower. */
export type ModelSource = FolderSource | { readonly query: FolderSource; readonly candidate: FolderSource }

export interface DefineOptions extends ImportOptions, TowerChoices, FetchOptions {
  /** Declared preprocessing: the path of a preprocess.json, or what one holds with its vocabularies inline. */
  readonly preprocess?: string | object
  /** In what dense layers compute: 'float32' (the default), or 'int8', weights and activations in bytes, a little less exact. */
  readonly dtype?: LayerType
}

/** Reads SavedModels and finds their towers: everything that a bundle holds and an engine runs. */
export async function define(source: ModelSource, options: DefineOptions = {}): Promise<ModelDefinition> {
  const { dtype = 'float32' } = options
  if (dtype !== 'float32' && dtype !== 'int8')
    throw new RangeError(`dtype must be float32 or int8, got ${JSON.stringify(dtype)}`)
  const exported = await read(source, options)
  const names = exported.signatures.flatMap(({ graph }) => graph.nodes.map(({ op }) => op))
  const definition = lower(exported, await loadOpsFor(names), dtype)
  return options.preprocess === undefined
    ? definition
    : { ...definition, preprocess: await preprocessOf(options.preprocess, options) }
}

async function read(source: ModelSource, options: DefineOptions): Promise<ModelDefinition> {
  if (!isPair(source)) {
    const folder = await folderAt(source, options)
    const signatures = await imported(folder, options)
    return { source: folder.name, signatures, towers: findTowers(signatures, options, nameOf(folder)) }
  }
  const [query, candidate] = await Promise.all([folderAt(source.query, options), folderAt(source.candidate, options)])
  const sides = [await imported(query, options), await imported(candidate, options)] as const
  return {
    source: `${query.name} and ${candidate.name}`,
    signatures: [...renamed(sides[0], 'query'), ...renamed(sides[1], 'candidate')],
    towers: pairTowers(...sides, options),
  }
}

const imported = async (folder: Folder, options: DefineOptions): Promise<Signature[]> =>
  (await importModel(folder, options)).map(withFeatures)

const isPair = (source: ModelSource): source is Exclude<ModelSource, FolderSource> =>
  typeof source === 'object' && source !== null && 'query' in source && 'candidate' in source

/** Two exports name their signatures alike: the default one takes the side's name, others carry it in front. */
function renamed(signatures: readonly Signature[], side: string): Signature[] {
  return signatures.map((signature) => ({
    ...signature,
    name: signature.name === 'serving_default' || signatures.length === 1 ? side : `${side}/${signature.name}`,
  }))
}

/** The last part of a folder's name. */
const nameOf = (folder: Folder): string => folder.name.replace(/[/\\]+$/, '').replace(/^.*[/\\]/, '')

/** The declared preprocessing with its vocabularies inside, checked. */
async function preprocessOf(source: string | object, options: FetchOptions): Promise<unknown> {
  const { inlineVocabularies, Preprocessor } = await import('./preprocess/index.ts')
  const at = typeof source === 'string' ? source.replace(/[^/\\]*$/, '') : ''
  const folder =
    typeof source === 'string' ? await folderAt(at === '' ? '.' : at, options) : memoryFolder('the options', {})
  const json = typeof source === 'string' ? parseFile(await readFile(folder, source.slice(at.length)), source) : source
  const spec = await inlineVocabularies(json, folder)
  new Preprocessor(spec)
  return spec
}

function parseFile(bytes: Uint8Array | null, name: string): unknown {
  if (bytes === null) throw new RangeError(`there is no file ${JSON.stringify(name)}`)
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch (error) {
    throw new TypeError(`${name} is not JSON: ${(error as Error).message}`)
  }
}
