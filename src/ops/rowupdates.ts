import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { rounded, Strings, sameShape, sizeOf, type Tensor, type TypedArray } from '../tensor/index.ts'
import { numeric } from './elementwise.ts'
import { integersOf } from './integers.ts'
import { ops as scatter } from './scatter.ts'
import { currentValue, update, variableOf } from './state.ts'

// Rows of variables changed in place, after core/kernels/{scatter_op,resource_variable_ops,scatter_nd_op}.cc. A reference's
// op answers the variable's new value.

type Number = number | bigint

/** Where elements of the updates go in the variable: rows `indices` each take a row of them, in order, or one scalar. */
function forEachElement(call: Call, each: (at: number, from: number) => void): void {
  const target = variableOf(call)
  const [indices, updates] = [integersOf(call.inputs[1], 'indices'), call.inputs[2]]
  const value = currentValue(call)
  const inner = sizeOf(value.shape.slice(1))
  const wanted = [...call.inputs[1].shape, ...value.shape.slice(1)]
  const one = updates.shape.length === 0
  if (value.shape.length === 0) throw new InvalidArgumentError(`variable "${target.name}" is a scalar, without rows`)
  if (updates.dtype !== value.dtype)
    throw new InvalidArgumentError(`variable "${target.name}" is ${value.dtype}, the updates are ${updates.dtype}`)
  if (!one && !sameShape(updates.shape, wanted))
    throw new InvalidArgumentError(`updates must be a scalar or of shape [${wanted}], got [${updates.shape}]`)
  indices.forEach((row, i) => {
    if (!(row >= 0 && row < value.shape[0]))
      throw new InvalidArgumentError(`indices[${i}] = ${row} is not in [0, ${value.shape[0]})`)
    for (let j = 0; j < inner; j++) each(row * inner + j, one ? 0 : i * inner + j)
  })
}

/** Numbers of the variable each meet one of the updates. */
const rows = (meet: (there: Number, by: Number) => Number): Op => ({
  effect: 'change',
  evaluate(call) {
    const target = variableOf(call)
    const [value, updates] = [numeric({ ...call, inputs: [currentValue(call)] }, 0), numeric(call, 2)]
    const data = value.data.slice() as TypedArray
    forEachElement(call, (at, from) => {
      data[at] = meet(data[at], updates.data[from])
    })
    target.value = { dtype: value.dtype, shape: value.shape, data: rounded(value.dtype, data) } as Tensor
    return target.value
  },
})

const replaced = rows((_, by) => by)

/** Strings are replaced too; nothing else is done to them. */
const replace: Op = {
  effect: 'change',
  evaluate(call) {
    const [value, updates] = [currentValue(call), call.inputs[2]]
    if (value.dtype !== 'string' || updates.dtype !== 'string') return replaced.evaluate(call)
    const texts = Array.from({ length: value.data.length }, (_, i) => value.data.at(i))
    forEachElement(call, (at, from) => {
      texts[at] = updates.data.at(from)
    })
    variableOf(call).value = { dtype: 'string', shape: value.shape, data: Strings.from(texts) }
    return variableOf(call).value as Tensor
  },
}

/** An operator of two numbers or two bigints, which variable and updates are alike. */
const either =
  (numbers: (a: number, b: number) => number, bigs: (a: bigint, b: bigint) => bigint) =>
  (a: Number, b: Number): Number =>
    typeof a === 'bigint' ? bigs(a, b as bigint) : numbers(a, b as number)

const OPS: Readonly<Record<string, Op>> = {
  Update: replace,
  Add: rows(
    either(
      (a, b) => a + b,
      (a, b) => a + b,
    ),
  ),
  Sub: rows(
    either(
      (a, b) => a - b,
      (a, b) => a - b,
    ),
  ),
  Mul: rows(
    either(
      (a, b) => a * b,
      (a, b) => a * b,
    ),
  ),
  Div: rows(
    either(
      (a, b) => a / b,
      (a, b) => a / b,
    ),
  ),
  Min: rows((a, b) => (b < a ? b : a)),
  Max: rows((a, b) => (b > a ? b : a)),
  NdUpdate: update(scatter.TensorScatterUpdate),
  NdAdd: update(scatter.TensorScatterAdd),
  NdSub: update(scatter.TensorScatterSub),
  NdMin: update(scatter.TensorScatterMin),
  NdMax: update(scatter.TensorScatterMax),
}

export const ops: Readonly<Record<string, Op>> = Object.fromEntries(
  Object.entries(OPS).flatMap(([name, op]) => [
    [`ResourceScatter${name}`, op],
    [`Scatter${name}`, op],
  ]),
)
