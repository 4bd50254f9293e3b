import type { ModelDefinition } from './graph/index.ts'
import { type ImportOptions, importModel } from './import/index.ts'
import type { Folder } from './platform/folder.ts'

/** Where a model comes from: a path, or a folder of another kind; or two of them, one a tower. */
export type ModelSource = string | Folder | { readonly query: string | Folder; readonly candidate: string | Folder }

export type DefineOptions = ImportOptions

/** Reads SavedModels and finds their towers: everything that a bundle holds and an engine runs. */
export async function define(source: ModelSource, options: DefineOptions): Promise<ModelDefinition> {
  if (typeof source === 'object' && 'query' in source) throw new TypeError('pairs are joined by towers/')
  return importModel(await folderOf(source), options)
}

/** The folder at a path. */
export async function folderOf(source: string | Folder): Promise<Folder> {
  return typeof source === 'string' ? (await import('./platform/node.ts')).nodeFolder(source) : source
}
