import { readModel } from '../load.ts'
import type { Folder } from '../platform/folder.ts'
import { type Change, changedSignatures, changedTowers } from './interfaces.ts'
import { changedVocabularies, tablesOf, type VocabularyChange } from './vocabularies.ts'
import { changedWeights, countOfWeights, type WeightChange } from './weights.ts'

/** What differs between two models, as they are written down; docs/cli.md documents the members. */
export interface Difference {
  readonly signatures: readonly Change[]
  readonly towers: readonly Change[]
  readonly vocabularies: readonly VocabularyChange[]
  readonly weights: readonly WeightChange[]
  /** How many vocabularies and weights each has. */
  readonly compared: {
    readonly vocabularies: readonly [number, number]
    readonly weights: readonly [number, number]
  }
}

/** Compares the models of two folders, each a SavedModel or a bundle. */
export async function diff(a: Folder, b: Folder, tags?: readonly string[]): Promise<Difference> {
  const options = tags === undefined ? {} : { tags }
  const [ours, theirs] = [await readModel(a, options), await readModel(b, options)]
  return {
    signatures: changedSignatures(ours, theirs),
    towers: changedTowers(ours, theirs),
    vocabularies: changedVocabularies(ours, theirs),
    weights: changedWeights(ours, theirs),
    compared: {
      vocabularies: [tablesOf(ours).length, tablesOf(theirs).length],
      weights: [countOfWeights(ours), countOfWeights(theirs)],
    },
  }
}
