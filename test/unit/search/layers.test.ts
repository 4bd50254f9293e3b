import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { similarityOf } from '../../../src/graph/index.ts'
import type { Datapoint } from '../../../src/search/datapoint.ts'
import { ExactIndex } from '../../../src/search/exact.ts'
import { Layers } from '../../../src/search/layers.ts'

const item = (id: number): Datapoint => ({ id: String(id), embedding: Float32Array.of(id) })

/** Layers, and how many items they have put into how many indexes so far. */
function counted() {
  const made = { items: 0, indexes: 0 }
  const layers = new Layers(1, ({ ids, vectors, attributes }) => {
    expect([...vectors].map(String)).toEqual(ids)
    made.items += ids.length
    made.indexes++
    return new ExactIndex(ids, vectors, similarityOf('dot'), { attributes })
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

  test('lie as they are to lie, and are let go of as objects but for the last few, where nothing is searched', async () => {
    const { layers, made } = counted()
    const most = 3 * 4096 + 100
    const given: WeakRef<Datapoint>[] = []
    for (let id = 0; id < most; id++) {
      const each = item(id)
      given.push(new WeakRef(each))
      layers.put(each)
    }
    layers.delete('5')
    // What was looked at in this turn is held until it ends.
    await new Promise((resolve) => setImmediate(resolve))
    setFlagsFromString('--expose-gc')
    ;(runInNewContext('gc') as () => void)()
    expect(given.filter((held) => held.deref() !== undefined).length).toBeLessThan(4096)
    expect(made).toEqual({ items: 0, indexes: 0 })
    expect(idsIn(layers)).toEqual([...given.keys()].filter((id) => id !== 5).map(String))
    expect(made).toEqual({ items: most - 1, indexes: 1 })
  })

  test('take no more room for being put in again and again, though nothing is searched', () => {
    const { layers, made } = counted()
    for (let i = 0; i < 20 * 4096; i++) layers.put(item(i % 4096))
    expect(layers.size).toBe(4096)
    // Once each time that most of what lies there no longer counts.
    expect(made.items).toBeLessThanOrEqual(20 * 4096)
    expect(layers.settled().reduce((rows, { index }) => rows + index.ids.length, 0)).toBeLessThanOrEqual(3 * 4096)
  })
})
