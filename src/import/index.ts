import type { ModelDefinition } from '../graph/index.ts'
import { loadAllOps } from '../ops/index.ts'
import type { Folder } from '../platform/folder.ts'
import { readSavedModel } from '../savedmodel/index.ts'
import { type ImportOptions, importSignatures } from './signatures.ts'

export { chooseMetaGraph, type ImportOptions, importSignatures } from './signatures.ts'

/** A SavedModel's folder as a model definition. */
export async function importModel(folder: Folder, options: ImportOptions = {}): Promise<ModelDefinition> {
  const saved = await readSavedModel(folder)
  const signatures = await importSignatures(saved, await loadAllOps(), options)
  return {
    source: folder.name,
    signatures,
    towers: { query: null, candidate: null, similarity: null, joint: null, notes: [] },
  }
}
