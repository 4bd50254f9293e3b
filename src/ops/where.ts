import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import { isNumeric, type NumberArray, numbersOf, sizeOf, tensor, zeros } from '../tensor/index.ts'
import { filled, numeric } from './elementwise.ts'
import { integer } from './integers.ts'
import { joined, stepsOf, take } from './layout.ts'

// Flags as coordinates and coordinates as flags, after core/kernels/{where_op,one_hot_op}.cc.

/** The coordinates of what is not zero, in order: [how many, rank]. NaN is not zero. */
const where: Op = {
  evaluate(call) {
    const x = numeric(call, 0)
    const rank = x.shape.length
    if (rank === 0) throw new InvalidArgumentError('WhereOp : Unhandled input dimensions: 0')
    const found: number[] = []
    for (let i = 0; i < x.data.length; i++) if (Number(x.data[i]) !== 0) found.push(i)
    const steps = stepsOf(x.shape)
    const coordinates = zeros('int64', found.length * rank)
    found.forEach((at, row) => {
      for (let d = 0; d < rank; d++) coordinates[row * rank + d] = BigInt(Math.floor(at / steps[d]) % x.shape[d])
    })
    return tensor('int64', [found.length, rank], coordinates)
  },
}

/** `on_value` at each index along a new axis, `off_value` elsewhere; an index out of range has no `on_value`. */
const oneHot: Op = {
  evaluate(call) {
    const [indices, , on, off] = call.inputs
    const positions = indices.dtype === 'int64' ? numbersOf(indices.data) : (numeric(call, 0).data as NumberArray)
    const depth = integer(call, 1, 'depth')
    const rank = indices.shape.length
    const axis = call.attrs.number('axis', -1)
    if (!(axis === -1 || (axis >= 0 && axis <= rank))) {
      throw new InvalidArgumentError(`Expected axis to be -1 or between [0, ${rank}].  But received: ${axis}`)
    }
    if (depth < 0) throw new InvalidArgumentError(`depth must be non-negative, got: ${depth}`)
    for (const [name, { shape }] of Object.entries({ on_value: on, off_value: off })) {
      if (shape.length > 0) throw new InvalidArgumentError(`${name} must be a scalar, but got: [${shape}]`)
    }
    const at = axis === -1 ? rank : axis
    const inner = sizeOf(indices.shape.slice(at))
    const shape = indices.shape.toSpliced(at, 0, depth)
    /** Writes `value` where an index says so. */
    const heat = <T>(data: { [at: number]: T }, value: T) => {
      for (let i = 0; i < positions.length; i++) {
        const index = positions[i]
        if (index >= 0 && index < depth) data[(Math.floor(i / inner) * depth + index) * inner + (i % inner)] = value
      }
    }
    if (isNumeric(on) && isNumeric(off)) {
      return filled(on.dtype, shape, (out) => {
        ;(out as NumberArray).fill(off.data[0] as number)
        heat<number | bigint>(out, on.data[0])
      })
    }
    const hot = zeros('int32', sizeOf(shape)).fill(1)
    heat(hot, 0)
    return take(joined([on, off]), hot, shape)
  },
}

export const ops: Readonly<Record<string, Op>> = {
  OneHot: oneHot,
  Where: where,
}
