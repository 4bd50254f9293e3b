import { UnsupportedOpError } from '../errors.ts'
import type { Attrs, Node } from '../graph/index.ts'

// Options of ops that twotower has, with which it does not run them. They stand by themselves, so that a check names them
// by the graph alone, without the ops.

interface Option {
  readonly name: string
  /** Whether it is on where the graph does not say. */
  readonly byDefault: boolean
  readonly why: string
}

const SIGNS = 'what TensorFlow answers then hangs on its roundings'

const REFUSED: Readonly<Record<string, Option>> = {
  SelfAdjointEigV2: { name: 'compute_v', byDefault: true, why: `eigenvectors have either sign: ${SIGNS}` },
  Svd: { name: 'compute_uv', byDefault: true, why: `singular vectors have either sign: ${SIGNS}` },
  TridiagonalSolve: { name: 'perturb_singular', byDefault: false, why: 'perturb_singular is not run' },
}

/** The option with which a node of op `op` is refused; null where it runs. */
export function refusedOption({ op, attrs }: { readonly op: string; readonly attrs: Attrs }): string | null {
  const option = Object.hasOwn(REFUSED, op) ? REFUSED[op] : undefined
  return option !== undefined && attrs.boolean(option.name, option.byDefault) ? option.name : null
}

/** @throws {UnsupportedOpError} where `node` has an option with which it is refused */
export function checkOptions(node: Node): void {
  if (refusedOption(node) !== null) throw new UnsupportedOpError(node.op, node.name, REFUSED[node.op].why)
}
