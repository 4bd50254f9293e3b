import { describe, expect, test } from 'vitest'
import { chooseMetaGraph } from '../../../src/import/index.ts'
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
})
