import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import { isNumeric, type Shape, sameShape, sizeOf, type Tensor, type TypedArray, zeros } from '../tensor/index.ts'
import { at, broadcastShape, EACH, type Places, places } from './broadcast.ts'
import { Assembly, joined, take } from './layout.ts'

// Choosing between elements, after core/kernels/cwise_op_select.cc. All dtypes.

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
    if (!rows || rank === yes.shape.length) return chosenOf(flags, EACH, yes, EACH, no, EACH, yes.shape)
    const width = sizeOf(yes.shape.slice(1))
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
    const [c, y, n] = [condition, yes, no].map((t) => places(t.shape, shape))
    return chosenOf(flags, c, yes, y, no, n, shape)
  },
}

/** Element by element: of `yes` where the flag at its place is set, else of `no`. */
function chosenOf(flags: Uint8Array, c: Places, yes: Tensor, y: Places, no: Tensor, n: Places, shape: Shape): Tensor {
  if (isNumeric(yes) && yes.dtype === no.dtype) {
    const data = zeros(yes.dtype, sizeOf(shape)) as TypedArray
    if (data instanceof BigInt64Array) choose(flags, yes.data as BigInt64Array, no.data as BigInt64Array, c, y, n, data)
    else choose(flags, yes.data as Float32Array, no.data as Float32Array, c, y, n, data as Float32Array)
    return { dtype: yes.dtype, shape, data } as Tensor
  }
  const behind = sizeOf(yes.shape)
  const both = new Int32Array(sizeOf(shape))
  for (let i = 0; i < both.length; i++) both[i] = flags[at(c, i)] ? at(y, i) : behind + at(n, i)
  return take(joined([yes, no]), both, shape)
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

export const ops: Readonly<Record<string, Op>> = {
  Select: select,
  SelectV2: selectV2,
}
