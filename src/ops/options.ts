import { UnsupportedOpError } from '../errors.ts'
import type { Attrs, Node } from '../graph/index.ts'
import type { DType } from '../tensor/index.ts'

// Options and types of ops that twotower has, with which it does not run them. They stand by themselves, so that a check names them
// by the graph alone, without the ops.

/** An option that is on or off, with where it is so unless the graph says otherwise; or types of an attribute. */
type Option =
  | { readonly name: string; readonly byDefault: boolean; readonly why: string }
  | { readonly name: string; readonly types: readonly DType[]; readonly why?: string }

const SIGNS = 'what TensorFlow answers then hangs on its roundings'
const HALVES: Option = {
  name: 'T',
  types: ['float16', 'bfloat16'],
  why: "how TensorFlow rounds sums of half floats hangs there on the processor's caches and threads; cast to float32 before it",
}
const FLOATS_ONLY: Option = {
  name: 'T',
  types: ['int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'],
}
const HALF_CELL: Option = { name: 'T', types: ['float16'] }
const NO_INT64: Option = { name: 'T', types: ['int64'] }
const NO_INT64_IMAGE: Option = { ...NO_INT64, name: 'dtype' }

const REFUSED: Readonly<Record<string, Option>> = {
  BlockLSTM: HALF_CELL,
  BlockLSTMV2: HALF_CELL,
  Conv3D: HALVES,
  Conv3DBackpropInputV2: HALVES,
  CropAndResize: NO_INT64,
  DecodePaddedRaw: { name: 'out_type', types: ['bfloat16'] },
  Dilation2D: { name: 'T', types: ['int64', 'uint64'] },
  Fingerprint: { name: 'T', types: ['float16', 'bfloat16'] },
  ImageProjectiveTransformV2: NO_INT64_IMAGE,
  ImageProjectiveTransformV3: NO_INT64_IMAGE,
  LSTMBlockCell: HALF_CELL,
  MaxPoolWithArgmax: { name: 'T', types: ['int64', 'uint64'] },
  Qr: { name: 'T', types: ['float16'] },
  Relu6Grad: FLOATS_ONLY,
  ReluGrad: FLOATS_ONLY,
  ResizeArea: NO_INT64,
  ResizeBicubic: NO_INT64,
  ResizeBilinear: NO_INT64,
  ResizeNearestNeighbor: NO_INT64,
  ScaleAndTranslate: NO_INT64,
  SelfAdjointEigV2: { name: 'compute_v', byDefault: true, why: `eigenvectors have either sign: ${SIGNS}` },
  SplitV: { name: 'Tlen', types: ['int8'] },
  StatelessRandomUniformFullInt: { name: 'Tseed', types: ['uint32', 'uint64'] },
  Svd: { name: 'compute_uv', byDefault: true, why: `singular vectors have either sign: ${SIGNS}` },
  TopKV2: { name: 'index_type', types: ['int16'] },
  TridiagonalSolve: { name: 'perturb_singular', byDefault: false, why: 'perturb_singular is not run' },
}

/** What a node of op `op` is refused for, `with compute_uv` or `of bfloat16`; null where it runs. */
export function refusedOption({ op, attrs }: { readonly op: string; readonly attrs: Attrs }): string | null {
  const option = Object.hasOwn(REFUSED, op) ? REFUSED[op] : undefined
  if (option === undefined) return null
  if ('byDefault' in option) return attrs.boolean(option.name, option.byDefault) ? `with ${option.name}` : null
  const type = attrs.string(option.name, '')
  return option.types.some((refused) => refused === type) ? `of ${type}` : null
}

/** @throws {UnsupportedOpError} where `node` has an option or a type with which it is refused */
export function checkOptions(node: Node): void {
  const refused = refusedOption(node)
  if (refused === null) return
  throw new UnsupportedOpError(node.op, node.name, REFUSED[node.op].why ?? `it is not run ${refused}`)
}
