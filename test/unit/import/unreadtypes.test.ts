import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { check } from '../../../src/check/check.ts'
import { load } from '../../../src/load.ts'
import { type Folder, memoryFolder } from '../../../src/platform/folder.ts'
import { nodeFolder } from '../../../src/platform/node.ts'

/** The files of a model, in which every type of 8 bits has the number of one that no types.proto has. */
function withNewType(name: string): Folder {
  const graph = readFileSync(join(folder(name), 'saved_model.pb'))
  for (let i = 1; i < graph.length; i++) {
    // The dtype of a TensorProto, of a TensorInfo, of an argument, and an attribute that is a type.
    if ([8, 16, 24, 48].includes(graph[i - 1]) && (graph[i] === 24 || graph[i] === 25)) graph[i] = 99
  }
  const parts = ['variables.index', 'variables.data-00000-of-00001'].map((part) => `variables/${part}`)
  const rest = parts.map((part) => [part, readFileSync(join(folder(name), part))] as const)
  return memoryFolder(name, { 'saved_model.pb': graph, ...Object.fromEntries(rest) })
}

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

test('a type that nobody knows yet is refused by its number, where it is needed', async () => {
  const files = withNewType('unread_types')
  const model = await load(files)
  const x = [[1, 2]]
  expect(model.run('plain', { x }).y).toMatchObject({ data: Float32Array.of(2, -2) })
  expect(() => model.run('input', { x })).toThrow('input "x" is a DataType 99')
  for (const name of ['output', 'constant', 'variable']) {
    expect(() => model.run(name, { x })).toThrow(/op \w+ of DataType 99 /)
  }
  const { problems, signatures } = await check(files)
  expect(problems).toEqual([])
  for (const { name, missing } of signatures.filter((signature) => signature.name !== 'inside')) {
    expect(missing.length > 0).toBe(name !== 'plain')
    for (const { op, todo } of missing) expect(`${op}: ${todo}`).toMatch(/ of DataType 99: cast to a type/)
  }
})
