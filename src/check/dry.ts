import type { Node, Op, OpTable, Signature } from '../graph/index.ts'
import { type ImportOptions, importSignatures } from '../import/index.ts'
import { loadAllOps } from '../ops/all.ts'
import type { SavedModel } from '../savedmodel/index.ts'
import { isMissing, type MissingNode, missingAt } from './missing.ts'

/**
 * The graphs of an export without a weight or a vocabulary, so that a model whose loading fails shows them all the same.
 * @param options which meta graph, and which signatures
 */
export const importDry = async (saved: SavedModel, options: ImportOptions): Promise<Signature[]> =>
  importSignatures(emptied(saved), dry(await loadAllOps(), {}), options)

/**
 * The nodes of the initialiser whose ops twotower lacks, as far as it fills what the signatures read. It is walked, and
 * nothing in it computes.
 */
export async function missingInLoading(saved: SavedModel, options: ImportOptions): Promise<MissingNode[]> {
  const found = new Map<string, MissingNode>()
  const walk = (node: Node): void => {
    for (const missing of missingAt(node)) found.set(missing.node, missing)
  }
  // An op that nobody knows may be what fills a table.
  const ops = dry(await loadAllOps(), { effect: 'change' }, walk)
  await importSignatures(emptied(saved), ops, options)
  return [...found.values()]
}

/** The functions of a root object are bound through the checkpoint; signatures need nothing of it. */
const emptied = (saved: SavedModel): SavedModel => ({
  ...saved,
  checkpoint: saved.metaGraphs.some((meta) => Object.keys(meta.signatureDef ?? {}).length > 0)
    ? null
    : saved.checkpoint,
  asset: async () => new Uint8Array(0),
})

/** What every output of a walked node is. */
const STAND_IN = { dtype: 'bool', shape: [], data: Uint8Array.of(0) } as const
/** More outputs than a node of an initialiser has that somebody reads; a RestoreV2 has one a variable, and is not walked. */
const OUTPUTS = Array<typeof STAND_IN>(64).fill(STAND_IN)

/** The ops with what the importer must know of them, each computing nothing; stateful, so that none is folded. */
function dry(ops: OpTable, missing: Partial<Op>, walk: (node: Node) => void = () => {}): OpTable {
  const evaluate: Op['evaluate'] = ({ node }) => {
    walk(node)
    return OUTPUTS
  }
  const empty = (op: Partial<Op>): Op => ({ ...op, stateful: true, evaluate })
  const walked = new Map([...ops].map(([name, op]) => [name, empty(op)]))
  const unknown = empty(missing)
  return new (class extends Map<string, Op> {
    override get = (name: string): Op | undefined => walked.get(name) ?? (isMissing(name) ? unknown : undefined)
  })()
}
