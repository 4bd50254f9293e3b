import { describe, expect, test } from 'vitest'
import { FAMILIES, familyOf } from '../../../src/ops/families.ts'
import { loadAllOps, loadOps } from '../../../src/ops/index.ts'

describe('op families', () => {
  for (const [family, { ops, load }] of Object.entries(FAMILIES)) {
    test(`${family} lists exactly the ops of its module`, async () => {
      const module = await load()
      expect([...ops].sort()).toEqual(Object.keys(module.ops).sort())
    })
  }

  test('no op is in two families', () => {
    const seen = new Map<string, string>()
    for (const [family, { ops }] of Object.entries(FAMILIES)) {
      for (const op of ops) {
        expect(seen.get(op), `${op} of ${family}`).toBeUndefined()
        seen.set(op, family)
      }
    }
  })

  test('an op is found in the family that lists it, and an unknown one in none', async () => {
    expect(familyOf('MatMul')).toBe('linear')
    expect(familyOf('NoSuchOp')).toBeUndefined()
    const table = await loadOps(new Set(['MatMul', 'NoSuchOp']))
    expect(table.has('MatMul')).toBe(true)
    expect(table.has('NoSuchOp')).toBe(false)
    expect((await loadAllOps()).size).toBe(Object.values(FAMILIES).flatMap(({ ops }) => ops).length)
  })
})
