import { describe, expect, it } from 'vitest'
import { Host, randoms, VARIANTS } from './instance.ts'

describe.each(VARIANTS)('matrices in another order, %s', (variant) => {
  const host = new Host(variant, 8)

  it('are copied with every tail: rows that lie together, columns that do, and neither', () => {
    for (const rows of [0, 1, 2, 3, 4, 5, 8, 11])
      for (const n of [0, 1, 2, 3, 4, 5, 7, 8, 13, 39, 40, 41])
        for (const [row, step] of [
          [n, 1],
          [n + 3, 1],
          [0, 1],
          [1, rows],
          [1, rows + 2],
          [0, 2],
          [2 * n + 1, 2],
          [3, 3 * rows],
        ]) {
          host.reset()
          const x = randoms(Math.max(0, rows - 1) * row + Math.max(0, n - 1) * step + 1, rows + n)
          const [at, out] = [host.putLast(x), host.room(rows * n, (rows + n) % 4)]
          host.run(out, rows * n, (k) => k.copySteps(out, at, rows, n, row, step))
          const wanted = Array.from({ length: rows * n }, (_, i) => x[Math.floor(i / n) * row + (i % n) * step])
          expect([...host.floats(out, rows * n)], `${rows} × ${n} by ${row}, ${step}`).toEqual(wanted)
        }
  })
})
