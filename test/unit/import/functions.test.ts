import { beforeAll, describe, expect, test } from 'vitest'
import { CorruptModelError } from '../../../src/errors.ts'
import type { OpTable } from '../../../src/graph/index.ts'
import { Builder } from '../../../src/import/builder.ts'
import { loadAllOps } from '../../../src/ops/all.ts'
import type { tensorflow } from '../../../src/savedmodel/index.ts'

let ops: OpTable
beforeAll(async () => {
  ops = await loadAllOps()
})

const called = (name: string) => ({ func: { name } })
const input = { name: 'x', op: 'Placeholder' }
const call = (name: string, of: string, x: string) => ({
  name,
  op: 'PartitionedCall',
  input: [x],
  attr: { f: called(of) },
})
/** Whatever the input says, the one function or the other. */
const choice = (then: string, other = then) => ({
  name: 'choice',
  op: 'If',
  input: ['a', 'a'],
  attr: { then_branch: called(then), else_branch: called(other) },
})
const body = (name: string, nodeDef: readonly { name: string }[], ret: string) => ({
  signature: { name, inputArg: [{ name: 'a' }], outputArg: [{ name: 'r' }] },
  nodeDef,
  ret: { r: ret },
})
const leaf = body('leaf', [{ name: 'y', op: 'Tanh', input: ['a'] } as { name: string }], 'y:y:0')

/** The number of nodes of the graph that calls the first function. */
function nodesOf(functions: readonly object[], first: string): number {
  const graph = { node: [input, call('y', first, 'x')], library: { function: functions } }
  const builder = new Builder(graph as tensorflow.GraphDef.$Properties, ops, { shareByName: false })
  return builder.build(['y:0'], [], [['x:0', { name: 'x' }]]).nodes.length
}

describe('functions', () => {
  const chain = (length: number) =>
    Array.from({ length }, (_, i) =>
      body(`f${i}`, [call('c', i === length - 1 ? 'leaf' : `f${i + 1}`, 'a')], 'c:output:0'),
    )
  const choices = (length: number) =>
    Array.from({ length }, (_, i) =>
      body(`f${i}`, [choice(i === length - 1 ? 'leaf' : `f${i + 1}`)], 'choice:output:0'),
    )

  test('are called one in the other, as deep as any exporter goes', () => {
    expect(nodesOf([...chain(190), leaf], 'f0')).toBe(2)
    const mixed = chain(90).map((of, i) =>
      i % 2 === 0 ? of : body(`f${i}`, [choice(i === 89 ? 'leaf' : `f${i + 1}`, 'leaf')], 'choice:output:0'),
    )
    expect(nodesOf([...mixed, leaf], 'f0')).toBe(2)
  })

  test.each([
    ['that call themselves', [body('f0', [call('c', 'f0', 'a')], 'c:output:0')]],
    ['that call themselves where a condition holds', [body('f0', [choice('f0')], 'choice:output:0')]],
    [
      'that call each other, in a branch and outside of one',
      [body('f0', [choice('f1')], 'choice:output:0'), body('f1', [call('c', 'f0', 'a')], 'c:output:0')],
    ],
    ['that are too deep', [...chain(1000), leaf]],
  ])('%s are refused by name', (_, functions) => {
    expect(() => nodesOf(functions, 'f0')).toThrow(CorruptModelError)
    expect(() => nodesOf(functions, 'f0')).toThrow(/function "f\d+" is called within 200 others/)
  })

  test('that are few and come to very many are refused before anybody walks through them', () => {
    expect(nodesOf([...choices(10), leaf], 'f0')).toBe(2)
    expect(() => nodesOf([...choices(60), leaf], 'f0')).toThrow('more than 2000000 nodes after inlining')
  })
})
