import { describe, expect, test } from 'vitest'
import { loadAllOps, loadOpsFor } from '../../../src/ops/all.ts'
import { FAMILIES, familyOf } from '../../../src/ops/families.ts'
import { loadOps } from '../../../src/ops/index.ts'
import { VERSION } from '../../../src/version.ts'

describe('op families', () => {
  for (const [family, { ops, load }] of Object.entries(FAMILIES)) {
    test(`${family} lists exactly the ops of its module`, async () => {
      const module = await load()
      expect(Object.keys(ops).sort()).toEqual(Object.keys(module.ops).sort())
    })
  }

  test('every op says which version had it first, none a version to come', () => {
    const parts = (version: string) => version.split('.').map(Number)
    const [major, minor, patch] = parts(VERSION)
    for (const { ops } of Object.values(FAMILIES)) {
      for (const [op, since] of Object.entries(ops)) {
        expect(since, op).toMatch(/^\d+\.\d+\.\d+$/)
        const [a, b, c] = parts(since)
        expect(a - major || b - minor || c - patch, `${op} since ${since}, this is ${VERSION}`).toBeLessThanOrEqual(0)
      }
    }
  })

  test('no op is in two families', () => {
    const seen = new Map<string, string>()
    for (const [family, { ops }] of Object.entries(FAMILIES)) {
      for (const op of Object.keys(ops)) {
        expect(seen.get(op), `${op} of ${family}`).toBeUndefined()
        seen.set(op, family)
      }
    }
  })

  test('an importer loads the rare ones only for what names one of their ops', async () => {
    const usual = await loadOpsFor(['MatMul', 'NoSuchOp'])
    expect([usual.has('Softmax'), usual.has('RFFT'), usual.has('complex>Mul')]).toEqual([true, false, false])
    const spectral = await loadOpsFor(['RFFT'])
    expect([spectral.has('IFFT'), spectral.has('complex>Mul')]).toEqual([true, false])
    expect((await loadOpsFor(['complex>Mul'])).has('complex>Exp')).toBe(true)
  })

  test('an op is found in the family that lists it, and an unknown one in none', async () => {
    expect(familyOf('MatMul')).toBe('linear')
    expect(familyOf('NoSuchOp')).toBeUndefined()
    const table = await loadOps(new Set(['MatMul', 'NoSuchOp']))
    expect(table.has('MatMul')).toBe(true)
    expect(table.has('NoSuchOp')).toBe(false)
    expect((await loadAllOps()).size).toBe(Object.values(FAMILIES).flatMap(({ ops }) => Object.keys(ops)).length)
  })
})
