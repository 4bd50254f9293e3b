import type { Call, Op } from '../graph/index.ts'
import { type ComplexTensor, partOf, sizeOf, type Tensor, type TensorOf, zeros } from '../tensor/index.ts'
import { ops as arrange } from './arrange.ts'
import { attrsOfParts, complex, isComplexTensor, joinedParts, onComplex, part } from './complexnumbers.ts'
import { CORE } from './core.ts'
import { ops as diagonals } from './diagonals.ts'
import { ops as gatherNd } from './gathernd.ts'
import { ops as linear } from './linear.ts'
import { ops as scan } from './scan.ts'
import { ops as scatter } from './scatter.ts'
import { ops as segment } from './segment.ts'
import { ops as shapevectors } from './shapevectors.ts'
import { conjugated } from './spectra.ts'
import { ops as splits } from './splits.ts'
import { currentValue } from './state.ts'
import { ops as where } from './where.ts'

// Ops that do to a complex number what they do to its real part and to its imaginary part: what moves elements, and sums.
// They are the ops on floats, run once for each.

/** `op` on the real parts, then on the imaginary ones; what does not depend on them, a shape or an index, is the first's. */
const byParts = (op: Op): Op => ({
  ...op,
  evaluate(call) {
    const run = (which: 0 | 1): readonly (Tensor | undefined)[] => {
      const inputs = call.inputs.map((input) => (isComplexTensor(input) ? part(input, which) : input))
      const result = op.evaluate({ ...call, inputs, attrs: attrsOfParts(call.attrs) })
      return 'dtype' in result ? [result] : result
    }
    const dtype = partOf((call.inputs.find(isComplexTensor) as ComplexTensor).dtype)
    const [re, im] = [run(0), run(1)]
    return re.map((t, i) => (t?.dtype === dtype ? joinedParts(t as Floats, im[i] as Floats) : t))
  },
})

type Floats = TensorOf<'float32'> | TensorOf<'float64'>

const fromAll = (ops: Readonly<Record<string, Op>>, names: string): Record<string, Op> =>
  Object.fromEntries(names.split(/\s+/).map((name) => [name, byParts(ops[name])]))

/** The real parts are ones, the imaginary ones zeros. */
const onesLike: Op = {
  evaluate(call) {
    const x = complex(call, 0)
    const re = part(x, 0)
    re.data.fill(1)
    return joinedParts(re, { ...re, data: zeros(re.dtype, re.data.length) } as Floats)
  },
}

const transpose = byParts(arrange.Transpose)
const conjugateTranspose: Op = {
  evaluate(call) {
    const [x] = transpose.evaluate(call) as readonly ComplexTensor[]
    return conjugated(x)
  },
}

/** Where a number is not zero. */
const whereNonZero: Op = {
  evaluate(call) {
    const x = complex(call, 0)
    const data = zeros('bool', sizeOf(x.shape))
    for (let i = 0; i < data.length; i++) data[i] = x.data[2 * i] !== 0 || x.data[2 * i + 1] !== 0 ? 1 : 0
    return where.Where.evaluate({ ...call, inputs: [{ dtype: 'bool', shape: x.shape, data }] })
  },
}

/** An op on the variable's value in place of its handle. */
const onValue = (op: Op, ...more: Tensor[]): Op => ({
  stateful: true,
  evaluate: (call: Call) => op.evaluate({ ...call, inputs: [currentValue(call), ...call.inputs.slice(1), ...more] }),
})
const gatherV2 = byParts(CORE.gather.GatherV2)
const AXIS_0: Tensor = { dtype: 'int32', shape: [], data: Int32Array.of(0) }

export const ops = onComplex({
  ...fromAll(arrange, 'MirrorPad Pad PadV2 ReverseSequence ReverseV2 Roll Tile'),
  ...fromAll(
    diagonals,
    'Diag DiagPart MatrixBandPart MatrixDiag MatrixDiagPart MatrixDiagPartV2 MatrixDiagPartV3 MatrixDiagV2 MatrixDiagV3 MatrixSetDiag MatrixSetDiagV2 MatrixSetDiagV3',
  ),
  ...fromAll(CORE.gather, 'Gather GatherV2'),
  ...fromAll(gatherNd, 'GatherNd'),
  ...fromAll(linear, 'BiasAdd BiasAddV1'),
  ...fromAll(CORE.math, 'Add AddN AddV2 Neg Sub ZerosLike'),
  ...fromAll(CORE.reduce, 'Mean Sum'),
  ...fromAll(scan, 'Cumsum'),
  ...fromAll(
    scatter,
    'DynamicPartition DynamicStitch ParallelDynamicStitch ScatterNd TensorScatterAdd TensorScatterSub TensorScatterUpdate',
  ),
  ...fromAll(segment, 'SegmentMean SegmentSum UnsortedSegmentSum'),
  ...fromAll(CORE.select, 'Select SelectV2'),
  ...fromAll(CORE.shape, 'ExpandDims Fill Rank Reshape Shape ShapeN Size Squeeze'),
  ...fromAll(shapevectors, 'BroadcastTo EnsureShape'),
  ...fromAll(CORE.slices, 'Concat ConcatV2 Pack StridedSlice'),
  ...fromAll(splits, 'Slice Split SplitV Unpack'),
  ConjugateTranspose: conjugateTranspose,
  OnesLike: onesLike,
  ResourceGather: onValue(gatherV2, AXIS_0),
  ResourceGatherNd: onValue(byParts(gatherNd.GatherNd)),
  Transpose: transpose,
  Where: whereNonZero,
})
