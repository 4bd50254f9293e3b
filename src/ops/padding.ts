import type { Op } from '../graph/index.ts'
import { toTensor } from './ragged/totensor.ts'

// Rows of different lengths made one: padded, or cut.

export const ops: Readonly<Record<string, Op>> = {
  RaggedTensorToTensor: toTensor,
}
