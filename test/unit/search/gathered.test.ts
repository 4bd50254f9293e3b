import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GrowingFloats } from '../../../src/search/growing.ts'
import { type Datapoint, ItemIndex } from '../../../src/search/index.ts'

test('floats are those that came, one after the other, however many were expected', () => {
  const parts = fc.array(fc.array(fc.float({ noNaN: true }), { maxLength: 40 }), { maxLength: 20 })
  fc.assert(
    fc.property(parts, fc.nat(200), (lists, expected) => {
      const floats = new GrowingFloats(expected)
      for (const list of lists) floats.push(Float32Array.from(list))
      expect(floats.all()).toEqual(Float32Array.from(lists.flat()))
    }),
  )
  // Past the first page of linear memory, which grows where it is.
  const many = new GrowingFloats()
  for (let i = 0; i < 300; i++) many.push(new Float32Array(1000).fill(i))
  expect(many.all()).toHaveLength(300_000)
  expect(many.all().filter((value, at) => value !== Math.floor(at / 1000))).toHaveLength(0)
})

test('of several items of one id the last counts, at its place, with what it has', async () => {
  const made = fc.record({ id: fc.constantFrom('a', 'b', 'c', 'ü', 'longer than a pointer'), tag: fc.nat(3) })
  await fc.assert(
    fc.asyncProperty(fc.array(made, { minLength: 1, maxLength: 12 }), async (list) => {
      const items = list.map(
        ({ id, tag }, i): Datapoint => ({
          id,
          embedding: Float32Array.of(i, -i),
          restricts: [{ namespace: 'kind', allow: [`t${tag}`] }],
          ...(tag > 0 && { crowdingTag: `${tag}` }),
        }),
      )
      const wanted = items.filter(({ id }, i) => !items.slice(i + 1).some((later) => later.id === id))
      const index = await ItemIndex.of(items, { similarity: 'dot', duplicates: 'last' })
      expect([...index.datapoints()]).toEqual(wanted)
      const read = await ItemIndex.open(index.toBytes())
      expect([...read.datapoints()]).toEqual(wanted)
      if (wanted.length === items.length) return
      const second = items.findIndex(({ id }, i) => items.slice(0, i).some((before) => before.id === id))
      const first = items.findIndex(({ id }) => id === items[second].id)
      const twice = (...told: readonly unknown[]) => new Error(JSON.stringify(told))
      await expect(ItemIndex.of(items, { similarity: 'dot', twice })).rejects.toThrow(
        JSON.stringify([items[second].id, first, second]),
      )
    }),
  )
})

test('of an item that is in an index nothing else is kept', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const given: WeakRef<object>[] = []
  let most = 0
  async function* items(): AsyncGenerator<Datapoint> {
    for (let i = 0; i < 400; i++) {
      const item = { id: `item ${i}`, embedding: new Float32Array(64), restricts: [{ namespace: 'n', allow: ['x'] }] }
      given.push(new WeakRef(item), new WeakRef(item.embedding), new WeakRef(item.restricts))
      yield item
      if (i % 100 !== 99) continue
      // What was looked at in this turn is held until it ends.
      await new Promise((resolve) => setImmediate(resolve))
      collect()
      most = Math.max(most, given.filter((held) => held.deref() !== undefined).length)
    }
  }
  await ItemIndex.of(items(), { similarity: 'dot' })
  expect(given).toHaveLength(1200)
  expect(most).toBeLessThan(12)
})
