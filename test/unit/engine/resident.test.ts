import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { define } from '../../../src/define.ts'
import type { Elements } from '../../../src/engine/memory.ts'
import { graphsOf, residentsOf } from '../../../src/engine/residents.ts'
import type { ModelDefinition } from '../../../src/graph/index.ts'
import { load, modelOf } from '../../../src/load.ts'
import { resident } from '../../../src/resident.ts'

const path = fileURLToPath(new URL('../../fixtures/models/tower_signatures', import.meta.url))
const weightsOf = (definition: ModelDefinition): Elements[] =>
  residentsOf(graphsOf(definition)).map((node) => node.attrs.tensor('value').data as Elements)

describe('the layers of a SavedModel', () => {
  test('lie in the kernels’ memory, as they were, also once it has grown', async () => {
    const read = await define(path)
    const { definition, memory } = resident(read)
    const expected = weightsOf(read).map((data) => data.slice())
    expect(expected.length).toBeGreaterThan(1)
    expect(weightsOf(definition)).toEqual(expected)
    expect(weightsOf(definition).every((data) => memory.holds(data))).toBe(true)
    expect(memory.stay(2 ** 24)).not.toBeNull()
    expect(memory.growths).toBe(1)
    expect(weightsOf(definition)).toEqual(expected)
    expect(weightsOf(definition).every((data) => memory.holds(data))).toBe(true)
  })

  test('are there once: the copy that was read is given up', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const moved = async () => {
      const read = await define(path)
      return { copies: weightsOf(read).map(({ buffer }) => new WeakRef(buffer)), ...resident(read) }
    }
    const { copies, definition, memory } = await moved()
    // What the compiler looks at on another thread stays until it is done.
    for (let round = 0; round < 50 && copies.some((copy) => copy.deref() !== undefined); round++) {
      await new Promise(setImmediate)
      collect()
    }
    expect(copies.filter((copy) => copy.deref() !== undefined).length).toBe(0)
    expect(weightsOf(definition).every((data) => memory.holds(data))).toBe(true)
  })

  test('are moved by load, and give what they gave where they were read', async () => {
    const [loaded, plain] = [await load(path), await modelOf(await define(path))]
    const { graph } = loaded.structure.query ?? {}
    if (graph === undefined) throw new Error('there is no query tower')
    const buffers = new Set(residentsOf([graph]).map((node) => (node.attrs.tensor('value').data as Elements).buffer))
    expect(buffers.size).toBe(1)
    const query = { user_id: ['1', '42', 'nobody'] }
    const candidate = { movie_id: ['1', '42', 'nothing'] }
    expect(loaded.query.embed(query)).toEqual(plain.query.embed(query))
    expect(loaded.candidate.embed(candidate)).toEqual(plain.candidate.embed(candidate))
    for (const name of ['score', 'matrix'])
      expect(loaded.run(name, { ...query, ...candidate })).toEqual(plain.run(name, { ...query, ...candidate }))
  })
})
