import type { Call, Graph, Op, OpTable } from '../graph/index.ts'
import { type Tensor, type TypedArray, zeros } from '../tensor/index.ts'
import { BINARY, binary } from './binary.ts'
import { concatenated } from './concat.ts'
import { denseWith } from './dense.ts'
import type { Kernels, Pointer } from './kernels.ts'
import type { Memory } from './memory.ts'
import { type Bind, type Place, SMALLEST } from './place.ts'
import { pooledRows } from './pooling.ts'
import { placeReductions } from './reductions.ts'

/**
 * `reference` with kernels in place of the ops that have one. An entry runs its kernel on float32 tensors that the
 * kernel's layout fits, and the reference on everything else, so that what an op means stays in one place.
 * @param smallest elements from which on a kernel is called
 * @param more what binds the kernels of ops that few towers have
 * @param graphs those that will be run
 */
export function withKernels(
  reference: OpTable,
  kernels: Kernels,
  memory: Memory,
  smallest = SMALLEST,
  more: readonly Bind[] = [],
  graphs: readonly Graph[] = [],
): OpTable {
  const table = new Map<string, Op>()
  for (const [name, op] of reference) table.set(name, op.effect === 'change' ? keeping(op, memory) : op)
  const place: Place = (name, run) => {
    const op = reference.get(name)
    if (op === undefined) return
    const evaluate = (call: Call) => op.evaluate(call)
    table.set(name, { ...op, evaluate: (call) => run(call, evaluate) ?? op.evaluate(call) })
  }
  for (const [name, kernel] of Object.entries(UNARY)) {
    place(name, ({ inputs: [x], attrs }) =>
      unary(x, memory, smallest, (out, at, n) => kernel(kernels, out, at, n, attrs.number('alpha', 0.2))),
    )
  }
  for (const [name, kernel] of Object.entries(BINARY))
    place(name, ({ inputs: [x, y] }) => binary(x, y, memory, smallest, kernels[kernel]))
  place('twotower>L2Normalize', ({ inputs: [x], attrs }) =>
    rowwise(x, memory, smallest, (out, at, rows, n) => kernels.l2Normalize(out, at, rows, n, attrs.number('epsilon'))),
  )
  place('twotower>Dense', denseWith(memory, kernels))
  place('ConcatV2', (call) => concatenated(call, memory, kernels))
  place('twotower>PoolRows', (call) => pooledRows(call, memory, kernels))
  placeReductions(place, memory, kernels, smallest)
  for (const name of ['BiasAdd', 'BiasAddV1'])
    place(name, ({ inputs: [x, bias], attrs }) =>
      attrs.string('data_format', 'NHWC') === 'NHWC' && x.shape.length > 1 && `${bias.shape}` === `${x.shape.slice(-1)}`
        ? binary(x, bias, memory, smallest, kernels.add)
        : null,
    )
  place('StringToHashBucketFast', (call) => hashBuckets(call, memory, kernels))
  for (const bind of more) bind(place, memory, kernels, smallest, graphs)
  return table
}

/** An op that changes state keeps its inputs past the run: what lies in the arena or in the caller's arrays is copied first. */
const keeping = (op: Op, memory: Memory): Op => ({
  ...op,
  evaluate(call) {
    memory.settle()
    return op.evaluate({ ...call, inputs: call.inputs.map(own) })
  },
})

/** `t` in memory of its own. */
function own(t: Tensor): Tensor {
  return ArrayBuffer.isView(t?.data) ? ({ ...t, data: (t.data as TypedArray).slice() } as Tensor) : t
}

const UNARY: Readonly<Record<string, (kernels: Kernels, out: Pointer, x: Pointer, n: number, alpha: number) => void>> =
  {
    Relu: (k, out, x, n) => k.relu(out, x, n),
    Relu6: (k, out, x, n) => k.relu6(out, x, n),
    Elu: (k, out, x, n) => k.elu(out, x, n, 1),
    Selu: (k, out, x, n) => k.selu(out, x, n),
    LeakyRelu: (k, out, x, n, alpha) => k.leakyRelu(out, x, n, alpha),
    Softplus: (k, out, x, n) => k.softplus(out, x, n),
    Sigmoid: (k, out, x, n) => k.sigmoid(out, x, n),
    Tanh: (k, out, x, n) => k.tanh(out, x, n),
    Exp: (k, out, x, n) => k.exp(out, x, n),
    Log: (k, out, x, n) => k.log(out, x, n),
    Log1p: (k, out, x, n) => k.log1p(out, x, n),
    Sqrt: (k, out, x, n) => k.sqrt(out, x, n),
    Rsqrt: (k, out, x, n) => k.rsqrt(out, x, n),
    Square: (k, out, x, n) => k.square(out, x, n),
    Neg: (k, out, x, n) => k.neg(out, x, n),
    Abs: (k, out, x, n) => k.abs(out, x, n),
    Reciprocal: (k, out, x, n) => k.reciprocal(out, x, n),
    Floor: (k, out, x, n) => k.floor(out, x, n),
    Ceil: (k, out, x, n) => k.ceil(out, x, n),
    Round: (k, out, x, n) => k.rint(out, x, n),
    Rint: (k, out, x, n) => k.rint(out, x, n),
  }

/** A kernel over each element of `x`; null where it is the reference's. */
export function unary(
  x: Tensor,
  memory: Memory,
  smallest: number,
  run: (out: Pointer, x: Pointer, n: number) => void,
): Tensor | null {
  if (x.dtype !== 'float32' || x.data.length < smallest) return null
  const at = memory.address(x.data)
  const out = memory.room(x.data.length)
  if (at === null || out === null) return null
  run(out.byteOffset, at, x.data.length)
  return { dtype: 'float32', shape: x.shape, data: out }
}

/** A kernel over each row of `x`, its last axis; null where it is the reference's. */
export function rowwise(
  x: Tensor,
  memory: Memory,
  smallest: number,
  run: (out: Pointer, x: Pointer, rows: number, n: number) => void,
): Tensor | null {
  if (x.dtype !== 'float32' || x.shape.length === 0) return null
  const n = x.shape[x.shape.length - 1]
  return n === 0 ? null : unary(x, memory, smallest, (out, at, size) => run(out, at, size / n, n))
}

function hashBuckets({ inputs: [x], attrs }: Call, memory: Memory, kernels: Kernels): Tensor | null {
  const buckets = attrs.int64('num_buckets')
  if (x.dtype !== 'string' || x.data.length === 0 || buckets < 1n) return null
  const { bytes, offsets, length } = x.data
  const [at, places] = [memory.address(bytes.subarray(offsets[0], offsets[length])), memory.address(offsets)]
  const room = memory.room(2 * length)
  if (at === null || places === null || room === null) return null
  kernels.hashBuckets(room.byteOffset, at, places, length, buckets)
  const data = zeros('int64', length)
  data.set(new BigInt64Array(room.buffer, room.byteOffset, length))
  return { dtype: 'int64', shape: x.shape, data }
}
