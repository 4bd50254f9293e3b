import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { check } from '../../../src/check/check.ts'
import { load } from '../../../src/load.ts'
import { nodeFolder } from '../../../src/platform/node.ts'

const folder = (name: string) => fileURLToPath(new URL(`../../fixtures/models/${name}`, import.meta.url))

describe.each(['unread_types', 'unread_functions'])('of types that twotower does not read in %s', (name) => {
  test('only the signatures are refused that need them, each by the type', async () => {
    const model = await load(folder(name))
    const x = [[1, 2]]
    expect(model.run('plain', { x }).y ?? model.run('plain', { x }).output_0).toMatchObject({
      data: Float32Array.of(2, -2),
    })
    expect(() => model.run('input', { x })).toThrow('input "x" is a float8_e4m3fn')
    expect(() => model.run('output', { x })).toThrow('op Cast of float8_e5m2 ')
    expect(() => model.run('inside', { x })).toThrow('op Cast of int4 ')
    expect(() => model.run('constant', { x })).toThrow('op Const of float8_e4m3fn ')
    expect(() => model.run('variable', { x })).toThrow(/op \w+ of float8_e4m3fn /)
  })

  test('the check names the type, and what to do', async () => {
    const { problems, signatures } = await check(nodeFolder(folder(name)))
    expect(problems).toEqual([])
    expect(signatures.filter(({ ready }) => ready).map((signature) => signature.name)).toEqual(['plain'])
    for (const { missing } of signatures) {
      for (const { op, todo } of missing) {
        expect(op).toMatch(/ of (float8_e4m3fn|float8_e5m2|int4)$/)
        expect(todo).toContain('cast to float32')
      }
    }
  })
})
