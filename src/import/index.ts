import type { Signature } from '../graph/index.ts'
import { loadOpsFor } from '../ops/all.ts'
import type { Folder } from '../platform/folder.ts'
import { readSavedModel } from '../savedmodel/index.ts'
import { namesIn } from './complex.ts'
import { type ImportOptions, importSignatures } from './signatures.ts'

export { assetsOf, chooseMetaGraph, type ImportOptions, importSignatures } from './signatures.ts'

/**
 * The signatures of the SavedModel in `folder` as typed graphs.
 * @throws {CorruptModelError} where a file is damaged
 * @throws {RangeError} for tags that the export does not have
 */
export async function importModel(folder: Folder, options: ImportOptions = {}): Promise<Signature[]> {
  const saved = await readSavedModel(folder)
  return importSignatures(saved, await loadOpsFor(namesIn(saved.metaGraphs)), options)
}
