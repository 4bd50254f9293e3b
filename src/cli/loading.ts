import { type ModelDefinition, withSimilarity } from '../graph/index.ts'
import { type LoadOptions, readModel } from '../load.ts'
import { folderAt } from '../platform/open.ts'
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

/** The model at `path` as a definition, for commands that look into its graphs. */
export async function definitionAt(path: string, options: LoadingOptions): Promise<ModelDefinition> {
  const { similarity, ...chosen } = loadOptions(options)
  const definition = await readModel(await folderAt(path), chosen)
  return similarity === undefined
    ? definition
    : { ...definition, towers: withSimilarity(definition.towers, similarity) }
}
