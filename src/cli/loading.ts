import { type ModelDefinition, withSimilarity } from '../graph/index.ts'
import { type LoadOptions, readBundle } from '../load.ts'
import { folderAt } from '../platform/open.ts'
import { MANIFEST } from '../weights/index.ts'
import { type SimilarityOptions, similarityChoice } from './similarity.ts'
import { tagsOf } from './stdio.ts'

/** The options of a command that loads a model for its answers. */
export interface LoadingOptions extends SimilarityOptions {
  readonly tags?: string
  readonly deterministic?: boolean
}

/** What `load` takes of the options. @throws {UsageError} for tags or a similarity that there are not */
export const loadOptions = (options: LoadingOptions): LoadOptions => ({
  ...tagsOf(options),
  ...similarityChoice(options),
  ...(options.deterministic === undefined ? {} : { deterministic: options.deterministic }),
})

/** The model at `path` as a definition, for commands that look into its graphs; a bundle has no tags to choose from. */
export async function definitionAt(path: string, options: LoadingOptions): Promise<ModelDefinition> {
  const [folder, { tags, similarity }] = [await folderAt(path), loadOptions(options)]
  const isBundle = (await folder.list('')).includes(MANIFEST)
  const definition = isBundle
    ? await readBundle(folder)
    : // A bundle needs no importer.
      await (await import('../define.ts')).define(folder, tags === undefined ? {} : { tags })
  return similarity === undefined
    ? definition
    : { ...definition, towers: withSimilarity(definition.towers, similarity) }
}
