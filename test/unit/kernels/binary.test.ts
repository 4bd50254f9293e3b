import { describe, expect, it } from 'vitest'
import { Host, randoms, VARIANTS } from './instance.ts'

const OPS = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
  divNoNan: (a: number, b: number) => (b === 0 ? 0 : a / b),
  maximum: Math.max,
  minimum: Math.min,
  squaredDifference: (a: number, b: number) => Math.fround(a - b) ** 2,
}
const NAMES = Object.keys(OPS) as (keyof typeof OPS)[]

type Operand = { row: (n: number) => number; step: 0 | 1 }
const OPERANDS: Readonly<Record<string, Operand>> = {
  matrix: { row: (n) => n, step: 1 },
  'wider matrix': { row: (n) => n + 3, step: 1 },
  scalar: { row: () => 0, step: 0 },
  'row vector': { row: () => 0, step: 1 },
  'column vector': { row: () => 1, step: 0 },
}

const sizeOf = ({ row, step }: Operand, rows: number, n: number): number =>
  rows === 0 || n === 0 ? 0 : (rows - 1) * row(n) + (n - 1) * step + 1

/** One operation of two float32 values has one right answer, so results are compared bit for bit. */
function check(host: Host, name: keyof typeof OPS, a: Operand, b: Operand, rows: number, n: number, skew = 0): void {
  host.reset()
  const x = randoms(sizeOf(a, rows, n), rows + n)
  // Zeros too, of which divNoNan makes zeros and div infinities.
  const y = randoms(sizeOf(b, rows, n), rows + n + 99).map((value, i) => (i % 3 === 1 ? 0 : value))
  const want = new Float32Array(rows * n)
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < n; c++) want[r * n + c] = OPS[name](x[r * a.row(n) + c * a.step], y[r * b.row(n) + c * b.step])
  }
  const px = host.put(x, skew)
  const py = host.put(y, skew)
  const out = host.room(rows * n, skew)
  const got = host.run(out, rows * n, (kernels) =>
    kernels[name](out, px, py, rows, n, a.row(n), a.step, b.row(n), b.step),
  )
  expect(got, `${rows} × ${n}`).toEqual(want)
}

describe.each(VARIANTS)('binary kernels, %s', (variant) => {
  const host = new Host(variant, 4)

  const pairs = Object.keys(OPERANDS).flatMap((a) => Object.keys(OPERANDS).map((b) => [a, b] as const))
  it.each(pairs)('take a %s and a %s, with every tail', (a, b) => {
    for (const name of NAMES) {
      for (const rows of [0, 1, 2, 3]) {
        for (const n of [0, 1, 2, 3, 4, 5, 6, 7, 8, 13]) {
          check(host, name, OPERANDS[a], OPERANDS[b], rows, n, (rows + n) % 4)
        }
      }
    }
  })

  it.each(NAMES)('%s is right over many loop trips and may write over its operand', (name) => {
    check(host, name, OPERANDS.matrix, OPERANDS.matrix, 1, 1003)
    host.reset()
    const x = randoms(30, 1)
    const y = randoms(30, 2)
    const want = x.map((value, i) => OPS[name](value, y[i]))
    const [px, py] = [host.put(x), host.put(y)]
    expect(host.run(px, 30, (kernels) => kernels[name](px, px, py, 3, 10, 10, 1, 10, 1))).toEqual(want)
    host.floats(px, 30).set(x)
    expect(host.run(py, 30, (kernels) => kernels[name](py, px, py, 3, 10, 10, 1, 10, 1))).toEqual(want)
  })

  it.each(NAMES)('%s treats NaN, infinities, zeros and denormals as IEEE 754 and TensorFlow do', (name) => {
    const values = [0, -0, 1, -1, Infinity, -Infinity, NaN, 2 ** -149, -(2 ** -149), 3e38, -3e38]
    const x = Float32Array.from(values.flatMap((value) => values.map(() => value)))
    const y = Float32Array.from(values.flatMap(() => values))
    host.reset()
    const [px, py] = [host.put(x), host.put(y)]
    const out = host.room(x.length)
    const got = host.run(out, x.length, (kernels) => kernels[name](out, px, py, 1, x.length, 0, 1, 0, 1))
    expect(got).toEqual(x.map((value, i) => OPS[name](value, y[i])))
  })

  it('read no byte past the end of an operand', () => {
    for (const operand of Object.values(OPERANDS)) {
      for (let n = 1; n <= 5; n++) {
        host.reset()
        const matrix = host.put(randoms(2 * n, 3))
        const last = host.putLast(randoms(sizeOf(operand, 2, n), 4))
        const out = host.room(2 * n)
        const row = operand.row(n)
        expect(() => host.kernels.add(out, matrix, last, 2, n, n, 1, row, operand.step)).not.toThrow()
        expect(() => host.kernels.sub(out, last, matrix, 2, n, row, operand.step, n, 1)).not.toThrow()
      }
    }
  })

  it('copyRows concatenates and slices', () => {
    for (let n = 0; n <= 9; n++) {
      host.reset()
      const rows = 3
      const x = randoms(rows * 11, n)
      const px = host.put(x)
      const out = host.put(new Float32Array(rows * 13).fill(-7))
      const want = new Float32Array(rows * 13).fill(-7)
      for (let r = 0; r < rows; r++) want.set(x.subarray(r * 11 + 1, r * 11 + 1 + n), r * 13 + 4)
      const got = host.run(out, rows * 13, ({ copyRows }) => copyRows(out + 16, px + 4, rows, n, 13, 11))
      expect(got).toEqual(want)
    }
  })
})
