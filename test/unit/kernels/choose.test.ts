import { describe, expect, it } from 'vitest'
import { Host, randoms, VARIANTS } from './instance.ts'

interface Operand {
  readonly row: (n: number) => number
  readonly step: 0 | 1
}
const OPERANDS: readonly Operand[] = [
  { row: (n) => n, step: 1 },
  { row: (n) => n + 3, step: 1 },
  { row: () => 0, step: 0 },
  { row: () => 0, step: 1 },
  { row: () => 1, step: 0 },
]

const sizeOf = ({ row, step }: Operand, rows: number, n: number): number =>
  rows === 0 || n === 0 ? 0 : (rows - 1) * row(n) + (n - 1) * step + 1

/** Numbers whose bits a choice must not change. */
const odd = (length: number, seed: number): Float32Array => {
  const values = randoms(length, seed)
  const words = new Uint32Array(values.buffer)
  for (let i = seed % 3; i < length; i += 3) words[i] = [0x7fa00001, 0x80000000, 1, 0xff800000][i % 4]
  return values
}

describe.each(VARIANTS)('choosing by a mask, %s', (variant) => {
  const host = new Host(variant, 4)

  it('takes a mask and operands of every layout, with every tail and at every address', () => {
    for (const mask of OPERANDS)
      for (const x of OPERANDS)
        for (const y of OPERANDS)
          for (const rows of [0, 1, 2, 3])
            for (const n of [0, 1, 2, 3, 4, 5, 7, 8, 13, 45]) {
              host.reset()
              // Whatever is not 0 is true.
              const flags = Uint8Array.from(
                { length: sizeOf(mask, rows, n) },
                (_, i) => [0, 1, 0, 255, 128][(i * 7 + n) % 5],
              )
              const skew = n % 4
              const padded = new Uint8Array(Math.ceil((flags.length + skew) / 4) * 4)
              padded.set(flags, skew)
              const [a, b] = [odd(sizeOf(x, rows, n), n), odd(sizeOf(y, rows, n), n + 1)]
              const m = host.put(new Float32Array(padded.buffer)) + skew
              const [px, py, out] = [host.put(a, 1), host.put(b, 2), host.room(rows * n, 3)]
              host.run(out, rows * n, (k) =>
                k.choose(out, m, px, py, rows, n, mask.row(n), mask.step, x.row(n), x.step, y.row(n), y.step),
              )
              const [p, q] = [new Uint32Array(a.buffer), new Uint32Array(b.buffer)]
              const wanted = Array.from({ length: rows * n }, (_, i) => {
                const [r, c] = [Math.floor(i / n), i % n]
                const at = (of: Operand) => r * of.row(n) + c * of.step
                return flags[at(mask)] === 0 ? q[at(y)] : p[at(x)]
              })
              const { buffer, byteOffset, length } = host.floats(out, rows * n)
              expect([...new Uint32Array(buffer, byteOffset, length)]).toEqual(wanted)
            }
  })
})
