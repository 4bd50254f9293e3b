import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import { isNumeric, type Shape, sizeOf, type Tensor, type TypedArray, tensor, zeros } from '../tensor/index.ts'
import { at, broadcastShape, type Places, places, sameShape } from './broadcast.ts'
import { numeric } from './elementwise.ts'
import { integer } from './integers.ts'
import { Assembly, joined, stepsOf, take } from './layout.ts'

// Choosing between elements, after core/kernels/{cwise_op_select,where_op,one_hot_op}.cc. All dtypes.

/** `condition` as flags. */
function flagsOf(condition: Tensor): Uint8Array {
  if (condition.dtype !== 'bool') throw new TypeError(`the condition must be bool, got ${condition.dtype}`)
  return condition.data
}

/** A scalar condition chooses one input as a whole, a vector chooses among rows, else the shapes are equal. */
const select: Op = {
  evaluate({ inputs: [condition, yes, no] }) {
    const flags = flagsOf(condition)
    if (!sameShape(yes.shape, no.shape)) {
      throw new InvalidArgumentError(
        `'then' and 'else' must have the same size, but received: [${yes.shape}] vs. [${no.shape}]`,
      )
    }
    const rank = condition.shape.length
    if (rank === 0) return flags[0] ? yes : no
    const rows = rank === 1 && yes.shape.length > 0 && condition.shape[0] === yes.shape[0]
    if (!rows && !sameShape(condition.shape, yes.shape)) {
      throw new InvalidArgumentError(
        `'then' and 'condition' must have the same size, or 'condition' one element a row, but received: [${yes.shape}] vs. [${condition.shape}]`,
      )
    }
    const width = rows ? sizeOf(yes.shape.slice(1)) : 1
    const chosen = new Assembly(yes.dtype, yes.shape)
    flags.forEach((flag, i) => {
      chosen.append(flag ? yes : no, i * width, width)
    })
    return chosen.finish()
  },
}

const selectV2: Op = {
  evaluate({ inputs: [condition, yes, no] }) {
    const flags = flagsOf(condition)
    const shape = broadcastShape(broadcastShape(condition.shape, yes.shape), no.shape)
    const c = indicesIn(condition, shape)
    const y = indicesIn(yes, shape)
    const n = indicesIn(no, shape)
    if (isNumeric(yes) && yes.dtype === no.dtype) {
      const data = zeros(yes.dtype, sizeOf(shape)) as TypedArray
      if (data instanceof BigInt64Array)
        choose(flags, yes.data as BigInt64Array, no.data as BigInt64Array, c, y, n, data)
      else choose(flags, yes.data as Float32Array, no.data as Float32Array, c, y, n, data as Float32Array)
      return { dtype: yes.dtype, shape, data } as Tensor
    }
    const behind = sizeOf(yes.shape)
    const both = new Int32Array(sizeOf(shape))
    for (let i = 0; i < both.length; i++) both[i] = flags[at(c, i)] ? at(y, i) : behind + at(n, i)
    return take(joined([yes, no]), both, shape)
  },
}

function choose<A extends Float32Array | BigInt64Array>(
  flags: Uint8Array,
  yes: A,
  no: A,
  c: Places,
  y: Places,
  n: Places,
  out: A,
): void {
  for (let i = 0; i < out.length; i++) out[i] = flags[at(c, i)] ? yes[at(y, i)] : no[at(n, i)]
}

const indicesIn = (t: Tensor, shape: Shape): Places => places(t.shape, shape)

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
    const positions = numeric(call, 0).data as TypedArray
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
    const hot = zeros('int32', sizeOf(shape)).fill(1)
    positions.forEach((given: number | bigint, i: number) => {
      const index = Number(given)
      if (index >= 0 && index < depth) hot[(Math.floor(i / inner) * depth + index) * inner + (i % inner)] = 0
    })
    return take(joined([on, off]), hot, shape)
  },
}

export const ops: Readonly<Record<string, Op>> = {
  OneHot: oneHot,
  Select: select,
  SelectV2: selectV2,
  Where: where,
}
