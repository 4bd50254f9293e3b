import type { Op } from '../graph/index.ts'
import { denseCount, raggedCount, sparseCount } from './ragged/counts.ts'
import { bincount, fillEmptyRows, gather, range, toSparse } from './ragged/rows.ts'
import { fromVariant, toVariant } from './ragged/variant.ts'

// Ops on ragged tensors: flat values, and for each ragged dimension the row splits that divide what is inside of it.

export const ops: Readonly<Record<string, Op>> = {
  RaggedTensorToSparse: toSparse,
  RaggedGather: gather,
  RaggedRange: range,
  RaggedBincount: bincount,
  RaggedFillEmptyRows: fillEmptyRows,
  RaggedTensorToVariant: toVariant,
  RaggedTensorFromVariant: fromVariant,
  DenseCountSparseOutput: denseCount,
  SparseCountSparseOutput: sparseCount,
  RaggedCountSparseOutput: raggedCount,
}
