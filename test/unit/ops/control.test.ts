import { describe, expect, test } from 'vitest'
import type { Attr, Graph, Value } from '../../../src/graph/index.ts'
import { Program } from '../../../src/graph/index.ts'
import { ops as cast } from '../../../src/ops/cast.ts'
import { ops as control } from '../../../src/ops/control.ts'
import { ops as math } from '../../../src/ops/math.ts'
import { tensor } from '../../../src/tensor/index.ts'
import { float, held, input, op, signature } from '../graph/build.ts'

const TABLE = new Map(Object.entries({ ...cast, ...math, ...control }))
const one = tensor('float32', [], Float32Array.of(1))

/** The function that makes `outputs` of two floats. */
function body(outputs: (a: Value, b: Value) => readonly Value[]): { graph: Graph } {
  const [a, b] = [input('a'), input('b')]
  const { graph } = signature('', [a, b], Object.fromEntries(outputs(a, b).entries()))
  return { graph }
}

const run = (name: string, condition: readonly Value[], attrs: Readonly<Record<string, Attr>>): readonly unknown[] => {
  const [a, b] = [input('a'), input('b')]
  const node = op(name, [...condition, a, b], attrs)
  const outputs = { a: node, b: { ...node, index: 1 } }
  return new Program(signature('', [a, b], outputs).graph, TABLE).run([one, one])
}

const more = (a: Value): Value => op('AddV2', [a, float(1)])
const cond = body((a) => [op('Less', [a, float(4)])])
const Tout = ['float32', 'float32']
const CALLS: Readonly<Record<string, (made: { graph: Graph }) => readonly unknown[]>> = {
  While: (made) => run('While', [], { cond, body: made }),
  StatelessWhile: (made) => run('StatelessWhile', [], { cond, body: made }),
  If: (made) => run('If', [held(one)], { then_branch: made, else_branch: made, Tout }),
  Case: (made) => run('Case', [held(tensor('int32', [], Int32Array.of(0)))], { branches: [made], Tout }),
}

describe.each(Object.entries(CALLS))("a function of %s is refused, as TensorFlow's kernels do", (_, call) => {
  test('but where it gives what its call says', () => {
    expect(call(body((a, b) => [more(a), b]))).toHaveLength(2)
  })
  test('where it gives too little, too much or another type', () => {
    expect(() => call(body((a) => [more(a)]))).toThrow('returns 1 values. Expected: 2 and 2')
    expect(() => call(body((a, b) => [more(a), b, b]))).toThrow('returns 3 values. Expected: 2 and 2')
    const integer = (b: Value) => op('Cast', [b], { SrcT: 'float32', DstT: 'int32' })
    expect(() => call(body((a, b) => [more(a), integer(b)]))).toThrow(
      'expected type float32 for return value 1 but got int32',
    )
  })
  test('where it takes another number of arguments', () => {
    const { graph } = body((a, b) => [more(a), b])
    const parameters = [...graph.parameters, input('c').node]
    expect(() => call({ graph: { ...graph, parameters, nodes: [...parameters, ...graph.nodes.slice(2)] } })).toThrow(
      'takes 3 arguments',
    )
  })
})
