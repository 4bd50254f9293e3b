import { describe, expect, test } from 'vitest'
import { chooseMetaGraph, importModel } from '../../../src/import/index.ts'
import { nodeFolder } from '../../../src/platform/node.ts'
import type { SavedModel } from '../../../src/savedmodel/index.ts'

/** A SavedModel of which nothing is known but the tags of its meta graphs. */
const tagged = (...tags: string[][]) =>
  ({
    folder: { name: 'export' },
    metaGraphs: tags.map((of) => ({ metaInfoDef: { tags: of } })),
  }) as unknown as SavedModel
const chosen = (saved: SavedModel, tags?: string[]) => chooseMetaGraph(saved, tags).metaInfoDef?.tags

describe('without tags, the meta graph', () => {
  test('is the one for serving, before one for serving on a GPU', () => {
    expect(chosen(tagged(['train'], ['serve', 'gpu'], ['serve']))).toEqual(['serve'])
    expect(chosen(tagged(['train'], ['serve', 'gpu']))).toEqual(['serve', 'gpu'])
  })

  test('is else one that is not for training', () => {
    expect(chosen(tagged(['train'], ['eval'], ['custom']))).toEqual(['custom'])
  })

  test('is the only one, whatever its tags, as tf.saved_model.load takes it', () => {
    for (const tags of [['eval'], ['train', 'gpu'], []]) expect(chosen(tagged(tags))).toEqual(tags)
  })

  test('has to be named where there are several for training', () => {
    expect(() => chosen(tagged(['train'], ['eval']))).toThrow(
      'export has no meta graph with the tag "serve"; it has [train], [eval]: choose one of these as tags',
    )
    expect(chosen(tagged(['train'], ['eval']), ['eval'])).toEqual(['eval'])
  })

  test('is not chosen by tags that are no list', () => {
    expect(() => chosen(tagged(['serve']), 'serve' as unknown as string[])).toThrow(
      new TypeError('tags must be a list of strings, got "serve"'),
    )
  })
})

describe('the signatures that are asked for', () => {
  const imported = async (model: string, signatures?: string[]): Promise<string[]> => {
    const folder = nodeFolder(new URL(`../../fixtures/models/${model}`, import.meta.url))
    return (await importModel(folder, signatures === undefined ? {} : { signatures })).map(({ name }) => name)
  }

  test('are imported and no others, of whatever meta graph they are', async () => {
    expect(await imported('other_tags')).toEqual(['serving_default', 'custom_default'])
    expect(await imported('other_tags', ['serving_default'])).toEqual(['serving_default'])
    expect(await imported('other_tags', ['custom_default'])).toEqual(['custom_default'])
  })

  test('are restored functions where the export has no signatures', async () => {
    expect(await imported('object_functions', ['query.embed'])).toEqual(['query.embed'])
  })

  test('are refused where the export does not have them', async () => {
    await expect(imported('other_tags', ['serving_default', 'query'])).rejects.toThrow(
      /other_tags.* has no signature "query" to import; it has "serving_default", "custom_default"$/,
    )
    await expect(imported('object_functions', ['query'])).rejects.toThrow(/it has "pair", "pairs", /)
  })
})
