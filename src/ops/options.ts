import { UnsupportedOpError } from '../errors.ts'
import type { Attrs, Node } from '../graph/index.ts'
import type { DType } from '../tensor/index.ts'

// Options and types of ops that twotower has, with which it does not run them. They stand by themselves, so that a check names them
// by the graph alone, without the ops.

/** An option that is on or off, or types of an attribute. */
type Option = {
  readonly name: string
  readonly why: string
} & (
  | {
      /** Whether it is on where the graph does not say. */
      readonly byDefault: boolean
    }
  | { readonly types: readonly DType[] }
)

const SIGNS = 'what TensorFlow answers then hangs on its roundings'
const HALVES: Option = {
  name: 'T',
  types: ['float16', 'bfloat16'],
  why: "how TensorFlow rounds sums of half floats hangs there on the processor's caches and threads; cast to float32 before it",
}

const REFUSED: Readonly<Record<string, Option>> = {
  Conv3D: HALVES,
  Conv3DBackpropInputV2: HALVES,
  SelfAdjointEigV2: { name: 'compute_v', byDefault: true, why: `eigenvectors have either sign: ${SIGNS}` },
  Svd: { name: 'compute_uv', byDefault: true, why: `singular vectors have either sign: ${SIGNS}` },
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
  if (refusedOption(node) !== null) throw new UnsupportedOpError(node.op, node.name, REFUSED[node.op].why)
}
