import { describe, expect, test } from 'vitest'
import { profileOf, Stopwatch } from '../../../src/bench/profile.ts'
import { Attrs, type Graph, type Node, type Op, type OpTable, Program, type Value } from '../../../src/graph/index.ts'
import { tensor } from '../../../src/tensor/index.ts'

const x = tensor('float32', [1], Float32Array.of(1))
const parameter: Node = { name: 'x', op: 'Parameter', attrs: Attrs.none, inputs: [], controls: [] }
const node = (name: string, op: string, inputs: readonly Value[], attrs = Attrs.none): Node => ({
  ...{ name, op, attrs, inputs, controls: [] },
})
const out = (of: Node): Value => ({ node: of, index: 0 })

/** Ops that take as many milliseconds as they are told, by a clock that only they move. */
function staged() {
  let at = 0
  const slow = (milliseconds: number): Op => ({
    evaluate({ inputs: [value] }) {
      at += milliseconds
      return value
    },
  })
  const branch: Op = {
    evaluate({ inputs, attrs, run }) {
      at += 1
      return run(attrs.graph('body'), inputs)
    },
  }
  const ops: OpTable = new Map([
    ['Lower', slow(3)],
    ['Find', slow(5)],
    ['Branch', branch],
  ])
  return { ops, now: () => at }
}

describe('a profile', () => {
  const lower = node('lower', 'Lower', [out(parameter)])
  const find = node('find', 'Find', [out(lower)])
  const graph: Graph = { parameters: [parameter], nodes: [parameter, lower, find], outputs: [out(find)] }

  test('takes the time of each node, over all its runs', () => {
    const { ops, now } = staged()
    const watch = new Stopwatch(now)
    const program = new Program(graph, watch.around(ops))
    for (let i = 0; i < 4; i++) program.run([x])
    const taken = watch.take()
    expect(taken.get(lower)).toEqual({ calls: 4, milliseconds: 12 })
    expect(taken.get(find)).toEqual({ calls: 4, milliseconds: 20 })
    program.run([x])
    expect(watch.take().get(find)).toEqual({ calls: 1, milliseconds: 5 })
    expect(watch.take().size).toBe(0)
  })

  test('counts the time of a branch for its nodes, not for the node that takes it', () => {
    const { ops, now } = staged()
    const branch = node('if', 'Branch', [out(parameter)], new Attrs({ body: { graph } }))
    const watch = new Stopwatch(now)
    const whole: Graph = { parameters: [parameter], nodes: [parameter, branch], outputs: [out(branch)] }
    new Program(whole, watch.around(ops)).run([x])
    const taken = watch.take()
    expect(taken.get(branch)).toEqual({ calls: 1, milliseconds: 1 })
    expect(taken.get(find)).toEqual({ calls: 1, milliseconds: 5 })
  })

  test('goes on where a node fails', () => {
    const { ops, now } = staged()
    const failing: Op = {
      evaluate() {
        throw new RangeError('no')
      },
    }
    const watch = new Stopwatch(now)
    const program = new Program(graph, watch.around(new Map([...ops, ['Find', failing]])))
    expect(() => program.run([x])).toThrow('no')
    expect(watch.take().get(find)?.calls).toBe(1)
  })

  test('adds up by op and by feature, microseconds a request, and tells what is in no op', () => {
    const nodes = new Map([
      [lower, { calls: 10, milliseconds: 30 }],
      [find, { calls: 10, milliseconds: 50 }],
      [node('other', 'Lower', []), { calls: 20, milliseconds: 10 }],
    ])
    const profile = profileOf([{ nodes, requests: 10, milliseconds: 100 }], 8, ({ name }) => ({
      stage: name === 'find' ? 'layers' : 'preprocessing',
      feature: name === 'find' ? null : 'title',
    }))
    expect(profile).toEqual({
      rows: 8,
      microseconds: 10_000,
      outside: { name: 'outside ops', calls: 0, microseconds: 1000, share: 0.1 },
      ops: [
        { name: 'Find', stage: 'layers', calls: 1, microseconds: 5000, share: 0.5 },
        { name: 'Lower', stage: 'preprocessing', calls: 3, microseconds: 4000, share: 0.4 },
      ],
      features: [
        { name: null, calls: 1, microseconds: 5000, share: 0.5 },
        { name: 'title', calls: 3, microseconds: 4000, share: 0.4 },
      ],
    })
  })
  test('leaves out what hits a few slices', () => {
    const slice = (milliseconds: number) => ({
      nodes: new Map([[find, { calls: 2, milliseconds }]]),
      requests: 2,
      milliseconds: milliseconds + 2,
    })
    const { ops, outside } = profileOf([slice(4), slice(4), slice(400), slice(4), slice(6)], 1, () => ({
      stage: null,
      feature: null,
    }))
    expect(ops).toMatchObject([{ calls: 1, microseconds: 2000 }])
    expect(outside.microseconds).toBe(1000)
  })
})
