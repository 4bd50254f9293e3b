import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { similarityOf } from '../../../src/graph/index.ts'
import type { Datapoint } from '../../../src/search/datapoint.ts'
import { ExactIndex } from '../../../src/search/exact.ts'
import { Layers } from '../../../src/search/layers.ts'

const item = (id: number): Datapoint => ({ id: String(id), embedding: Float32Array.of(id) })

/** Layers, and how many items they have put into indexes so far. */
function counted() {
  const made = { items: 0 }
  const layers = new Layers((put, count) => {
    const items = [...put]
    expect(items).toHaveLength(count)
    made.items += count
    return new ExactIndex(
      items.map(({ id }) => id),
      Float32Array.from(items, ({ embedding }) => embedding[0]),
      similarityOf('dot'),
    )
  })
  return { layers, made }
}

const idsIn = (layers: Layers): string[] =>
  layers.settled().flatMap((layer) => layer.index.ids.filter((_, row) => layer.holds(row)))

describe('items that are put in one after the other', () => {
  test('are those of a list to which each is added at the end, in its order, searched when it may be', () => {
    const change = fc.record({ id: fc.nat(20), put: fc.boolean(), searched: fc.boolean() })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 80 }), (changes) => {
        const { layers } = counted()
        let list: number[] = []
        for (const { id, put, searched } of changes) {
          list = list.filter((other) => other !== id)
          if (put) layers.put(item(id))
          else layers.delete(String(id))
          if (put) list.push(id)
          expect(layers.get(String(id))?.id).toBe(put ? String(id) : undefined)
          if (searched) expect(idsIn(layers)).toEqual(list.map(String))
        }
        expect(idsIn(layers)).toEqual(list.map(String))
        expect(Array.from(layers.items(), ({ id }) => id)).toEqual(list.map(String))
        expect(layers.size).toBe(list.length)
      }),
    )
  })

  test('are indexed anew as often as their number has digits, not for each that comes', () => {
    const { layers, made } = counted()
    for (let id = 0; id < 1000; id++) {
      layers.put(item(id))
      const sizes = layers.settled().map(({ size }) => size)
      for (let i = 1; i < sizes.length; i++) expect(sizes[i - 1]).toBeGreaterThanOrEqual(2 * sizes[i])
    }
    expect(made.items).toBeLessThanOrEqual(1000 * (1 + Math.log2(1000)))
  })

  test('are let go of as objects, but for the last few, also where nothing is searched', () => {
    const { layers } = counted()
    const most = 5000
    const given = Array.from({ length: most }, (_, id) => item(id))
    for (const each of given) layers.put(each)
    // What lies in a layer is made anew.
    const kept = [...layers.items()].filter((each, i) => each === given[i]).length
    expect(kept).toBe(most - 4096)
    expect([...layers.items()].map(({ id }) => id)).toEqual(given.map(({ id }) => id))
  })
})
