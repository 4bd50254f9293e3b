import type { Bind } from './place.ts'

const MATRICES = ['MatMul', 'BatchMatMul', 'BatchMatMulV2', 'BatchMatMulV3', 'Einsum']
const WINDOWS = ['Conv2D', 'Conv2DBackpropInput', 'DepthwiseConv2dNative', 'MaxPool', 'AvgPool']
/** What a loop along a sequence reads its steps by. */
const LOOPED = ['TensorListGetItem', 'TensorArrayReadV3']

/** Kernels in place of ops that few towers have, loaded for those that do. */
const RARE: readonly { readonly ops: readonly string[]; load(): Promise<{ readonly bind: Bind }> }[] = [
  { ops: ['twotower>DenseInt8'], load: () => import('./int8.ts') },
  { ops: MATRICES, load: () => import('./products.ts') },
  { ops: WINDOWS, load: () => import('./windows.ts') },
  { ops: ['Conv3D'], load: () => import('./volumes.ts') },
  { ops: ['SegmentSum', 'SegmentMean', 'UnsortedSegmentSum'], load: () => import('./segments.ts') },
  { ops: ['Erf', 'Erfc', 'LogSoftmax', 'Softmax', 'Softsign'], load: () => import('./functions.ts') },
  { ops: ['Max', 'Min'], load: () => import('./extremes.ts') },
  // An index that is in the model: TensorFlow Recommenders' BruteForce.
  { ops: ['TopKV2'], load: () => import('./largest.ts') },
  // Towers of many layers.
  { ops: [...MATRICES, ...WINDOWS], load: () => import('./largevalues.ts') },
  { ops: LOOPED, load: () => import('./loops.ts') },
  // Words of texts, heads of attention, masks.
  { ops: [...MATRICES, ...WINDOWS, ...LOOPED], load: () => import('./sequences.ts') },
  {
    ops: ['twotower>LayerNorm', 'FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3'],
    load: () => import('./batchnorm.ts'),
  },
]

/**
 * What binds kernels to those of `ops` that few towers have. Where there is any, the engine takes all kernels, not the core.
 */
export async function bindingsFor(ops: ReadonlySet<string>): Promise<Bind[]> {
  const needed = RARE.filter(({ ops: names }) => names.some((name) => ops.has(name)))
  return (await Promise.all(needed.map(({ load }) => load()))).map(({ bind }) => bind)
}
