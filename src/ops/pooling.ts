import { Attrs, type Call, type Op } from '../graph/index.ts'
import { sameShape, scalar, type Tensor, tensor, zeros } from '../tensor/index.ts'
import { gather, outOfRange } from './gather.ts'
import { placesOf } from './integers.ts'
import { ops as math } from './math.ts'
import { ops as reductions } from './reduce.ts'
import { ops as shapes } from './shape.ts'

// Pooled embeddings as one op, which lower/ makes of several. The table is read where it lies: it may be larger than the
// kernels' memory.

/**
 * Σ or mean over axis 1 of table[ids] · mask, as reduce(gather(table, ids) * expand_dims(mask, axis), axis=1), where `axis` is
 * 2 or -1. Anything but ids[batch, length] with a mask of that shape is put together of the ops that it was made of.
 */
const poolRows: Op = {
  evaluate(call) {
    const [table, ids, mask] = call.inputs
    const mean = call.attrs.string('combiner') === 'mean'
    const matrix = table.dtype === 'float32' && table.shape.length === 2 && ids.shape.length === 2
    if (!matrix || (mask !== undefined && (mask.dtype !== 'float32' || !sameShape(mask.shape, ids.shape)))) {
      return pooledInSteps(call, mean)
    }
    const [batch, length] = ids.shape
    const [rows, width] = table.shape
    const wanted = placesOf(ids)
    const weights = mask === undefined ? null : (mask.data as Float32Array)
    const out = zeros('float32', batch * width)
    const totals = zeros('float64', width)
    // 0 · Infinity is NaN, so a weight of 0 counts too; only a row that is finite, as padding's mostly is, adds nothing.
    let harmless = -1
    for (let b = 0, i = 0; b < batch; b++) {
      totals.fill(0)
      for (const end = i + length; i < end; i++) {
        const row = wanted[i]
        if (!(row >= 0 && row < rows)) throw outOfRange(ids.shape, i, row, rows)
        const weight = weights === null ? 1 : weights[i]
        if (weight === 0) {
          if (row === harmless) continue
          if (allFinite(table.data, row * width, (row + 1) * width)) harmless = row
        }
        addRow(table.data, row * width, weight, totals)
      }
      for (let j = 0; j < width; j++) out[b * width + j] = mean ? totals[j] / length : totals[j]
    }
    return tensor('float32', [batch, width], out)
  },
}

function addRow(table: Float32Array, start: number, weight: number, totals: Float64Array): void {
  if (weight === 1) for (let j = 0; j < totals.length; j++) totals[j] += table[start + j]
  else for (let j = 0; j < totals.length; j++) totals[j] += table[start + j] * weight
}

function allFinite(table: Float32Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (!Number.isFinite(table[i])) return false
  return true
}

function pooledInSteps(call: Call, mean: boolean): Tensor {
  const [table, ids, mask] = call.inputs
  const step = (op: Op, inputs: readonly Tensor[]): Tensor =>
    op.evaluate({ ...call, inputs, attrs: Attrs.none }) as Tensor
  const looked = gather(table, ids, 0, 0)
  const axis = scalar('int32', call.attrs.number('axis', 2))
  const masked = mask === undefined ? looked : step(math.Mul, [looked, step(shapes.ExpandDims, [mask, axis])])
  return step(mean ? reductions.Mean : reductions.Sum, [masked, tensor('int32', [1], Int32Array.of(1))])
}

export const ops: Readonly<Record<string, Op>> = { 'twotower>PoolRows': poolRows }
