import { expect, test } from 'vitest'
import { adviceOn } from '../../../src/check/advice.ts'
import { missingOf } from '../../../src/check/missing.ts'
import { Attrs } from '../../../src/graph/index.ts'
import { FAMILIES } from '../../../src/ops/families.ts'
import { tensor } from '../../../src/tensor/index.ts'
import { input, op, signature } from '../graph/build.ts'

const CASES = [
  { name: 'Svd', option: 'compute_uv', byDefault: true },
  { name: 'SelfAdjointEigV2', option: 'compute_v', byDefault: true },
  { name: 'TridiagonalSolve', option: 'perturb_singular', byDefault: false },
]

test.each(CASES)(
  'a check names $name with $option, which is refused when it runs',
  async ({ name, option, byDefault }) => {
    const missing = (attrs: Readonly<Record<string, boolean>>) => {
      const x = input('x')
      return missingOf(signature('', [x], { y: op(name, [x, x], attrs) }))
    }
    expect(missing({ [option]: false })).toEqual([])
    expect(missing({}).length).toBe(byDefault ? 1 : 0)
    const [found] = missing({ [option]: true })
    expect(found).toMatchObject({ op: `${name} with ${option}`, features: ['x'], outputs: ['y'] })
    expect(adviceOn(found.op).todo).toContain('without the option it runs')

    const entry = Object.values(FAMILIES).find(({ ops }) => name in ops)
    const { ops } = (await entry?.load()) ?? { ops: {} }
    const attrs = new Attrs({ [option]: true })
    const x = tensor('float32', [3, 3], new Float32Array(9))
    const node = { name: 'node', op: name, attrs, inputs: [], controls: [] }
    expect(() => ops[name].evaluate({ inputs: [x, x], attrs, node, files: new Map(), run: () => [] })).toThrow(
      /^op \w+ \(node "node"\) is not supported/,
    )
  },
)

test('a check names an op of a type that it is not run for, and not of another', () => {
  const missing = (T: string) => {
    const x = input('x')
    return missingOf(signature('', [x], { y: op('Conv3D', [x, x], { T }) }))
  }
  expect(missing('float32')).toEqual([])
  const [found] = missing('bfloat16')
  expect(found).toMatchObject({ op: 'Conv3D of bfloat16', features: ['x'], outputs: ['y'] })
  expect(adviceOn(found.op).todo).toContain('cast to a type that it is run for')
})

test('a placeholder that the signature does not take is no op that twotower lacks', () => {
  const [x, forgotten] = [input('x'), op('Placeholder', [])]
  const [found] = missingOf(signature('', [x], { y: op('AddV2', [x, forgotten]) }))
  expect(found).toMatchObject({ op: 'Placeholder', outputs: ['y'] })
  expect(adviceOn(found.op)).toMatchObject({
    kind: 'input that the signature does not take',
    todo: expect.stringMatching(/^nothing gives it a value: .*among its inputs.*placeholder_with_default/),
  })
})
