import type { Op } from '../graph/index.ts'
import { arithmetic } from './sparse/arithmetic.ts'
import { sparseBincount } from './sparse/bincount.ts'
import { concat, fillEmptyRows, reorder, reshape, slice, split, toDense } from './sparse/layout.ts'
import { sparseSegment } from './sparse/segments.ts'

// Ops on sparse tensors in coordinate form: indices [n, rank], values [n], dense shape [rank].

const sum = (): number => 1
const mean = (n: number): number => n
const sqrtN = (n: number): number => Math.sqrt(n)

export const ops: Readonly<Record<string, Op>> = {
  SparseFillEmptyRows: fillEmptyRows,
  SparseReshape: reshape,
  SparseToDense: toDense,
  SparseReorder: reorder,
  SparseSlice: slice,
  SparseSplit: split,
  SparseConcat: concat,
  SparseSegmentSum: sparseSegment(sum, false),
  SparseSegmentMean: sparseSegment(mean, false),
  SparseSegmentSqrtN: sparseSegment(sqrtN, false),
  SparseSegmentSumWithNumSegments: sparseSegment(sum, true),
  SparseSegmentMeanWithNumSegments: sparseSegment(mean, true),
  SparseSegmentSqrtNWithNumSegments: sparseSegment(sqrtN, true),
  SparseBincount: sparseBincount,
  ...arithmetic,
}
