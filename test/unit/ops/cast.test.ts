import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Attrs } from '../../../src/graph/index.ts'
import { ops } from '../../../src/ops/cast.ts'
import { tensor } from '../../../src/tensor/index.ts'

function cast(values: readonly number[], to: 'int32' | 'int64'): unknown[] {
  const attrs = new Attrs({ DstT: to })
  const node = { name: 'n', op: 'Cast', attrs, inputs: [], controls: [] }
  const inputs = [tensor('float32', [values.length], Float32Array.from(values))]
  const result = ops.Cast.evaluate({ inputs, attrs, node, files: new Map(), run: () => [] })
  return 'data' in result ? [...(result.data as Iterable<unknown>)] : []
}

test('a float becomes the integer that it is without what comes after its point, and what does not fit the lowest', () => {
  const around = fc
    .constantFrom(0, 1, 2 ** 31, 2 ** 63)
    .chain((middle) =>
      fc.tuple(fc.constantFrom(1, -1), fc.double({ min: -1.5, max: 1.5 })).map(([sign, by]) => sign * middle + by),
    )
  const scaled = fc.tuple(fc.float({ min: -1, max: 1 }), fc.integer({ min: 0, max: 70 })).map(([x, e]) => x * 2 ** e)
  fc.assert(
    fc.property(fc.array(fc.oneof(around, scaled, fc.float()), { maxLength: 20 }), (given) => {
      const values = [...Float32Array.from(given)]
      const whole = (bits: bigint) =>
        values.map((value) => {
          const fits =
            Number.isFinite(value) &&
            BigInt.asIntN(Number(bits), BigInt(Math.trunc(value))) === BigInt(Math.trunc(value))
          return fits ? BigInt(Math.trunc(value)) : -(2n ** (bits - 1n))
        })
      expect(cast(values, 'int32')).toEqual(whole(32n).map(Number))
      expect(cast(values, 'int64')).toEqual(whole(64n))
    }),
    { numRuns: 500 },
  )
})
