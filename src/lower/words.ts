import { Attrs, constantOf, type Graph, type Node, type Value } from '../graph/index.ts'
import { rewrite } from '../graph/rewrite.ts'
import { ByteClass } from '../ops/text/byteclass.ts'
import { rewriteParts } from '../ops/text/rewrite.ts'
import { utf8 } from '../tensor/index.ts'

/** The fused op's name: no op of TensorFlow's. Its semantics are in ops/wordids.ts. */
const WORD_IDS = 'twotower>WordIds'

/**
 * Text that is lower-cased, rid of a class of characters, split at white space, looked up and padded becomes one node: the
 * way from a text to ids that TextVectorization takes.
 */
export function fuseWords(graph: Graph): Graph {
  return rewrite(graph, (node, { emit }) => {
    const found = paddedWords(node)
    if (found === null) return null
    const { text, table, fallback, padding, ...attrs } = found
    const inputs = [table, text, fallback, padding]
    return [{ node: emit({ name: node.name, op: WORD_IDS, attrs: new Attrs(attrs), inputs, controls: [] }), index: 0 }]
  })
}

interface Standardised {
  readonly text: Value
  readonly lower: boolean
  readonly removed: Uint8Array
}

interface PaddedWords extends Standardised {
  readonly table: Value
  readonly fallback: Value
  readonly padding: Value
  /** Words of a row; -1 for those of the longest. */
  readonly width: number
}

function paddedWords(node: Node): PaddedWords | null {
  if (node.op !== 'RaggedTensorToTensor' || node.controls.length > 0) return null
  const types = node.attrs.strings('row_partition_types').join()
  const [shape, values, padding, count, rowids] = node.inputs
  const [rows, width] = integers(constantOf(shape)) ?? []
  if (types !== 'FIRST_DIM_SIZE,VALUE_ROWIDS' || rows !== -1 || width === undefined || width < -1) return null
  const found = lookup(values)
  if (found === null || !isInt64Scalar(padding) || !isInt64Scalar(found.fallback)) return null
  const { split } = found
  if (!isRowIds(rowids, split) || !isFirstSize(count, split)) return null
  return { ...standardised(split.inputs[0]), table: found.table, fallback: found.fallback, padding, width }
}

interface Lookup {
  readonly table: Value
  readonly fallback: Value
  readonly split: Node
}

/** The ids of the words of a split, whether or not the empty word, which there is none of, is given another. */
function lookup({ node, index }: Value): Lookup | null {
  if (index !== 0 || node.controls.length > 0) return null
  if (node.op === 'SelectV2' || node.op === 'Select') {
    const [condition, , otherwise] = node.inputs
    const found = lookup(otherwise)
    return found !== null && asksForEmpty(condition.node, found.split) ? found : null
  }
  if (node.op !== 'LookupTableFindV2' && node.op !== 'LookupTableFind') return null
  const [table, keys, fallback] = node.inputs
  const split = keys.node
  const isSplit = split.op === 'StringSplitV2' && keys.index === 1 && split.controls.length === 0
  if (!isSplit || !isText(split.inputs[1], '') || split.attrs.number('maxsplit', -1) >= 0) return null
  return { table, fallback, split }
}

const asksForEmpty = ({ op, inputs }: Node, split: Node): boolean =>
  op === 'Equal' && inputs.some(({ node, index }, i) => node === split && index === 1 && isText(inputs[1 - i], ''))

/** The row of each word: the first column of the split's indices. */
const isRowIds = ({ node }: Value, split: Node): boolean =>
  slices(node, split, 0, { begin: 0, end: 1, begin_mask: 1, end_mask: 1, shrink_axis_mask: 2, dims: 2 })

/** How many rows there are: the first number of the split's shape. */
const isFirstSize = ({ node }: Value, split: Node): boolean =>
  slices(node, split, 2, { begin: 0, end: 1, begin_mask: 0, end_mask: 0, shrink_axis_mask: 1, dims: 1 })

interface Cut {
  readonly dims: number
  /** Of the last dimension. */
  readonly begin: number
  readonly end: number
  readonly begin_mask: number
  readonly end_mask: number
  readonly shrink_axis_mask: number
}

/** True where `node` cuts just this out of output `index` of `from`, in steps of one. */
function slices(node: Node, from: Node, index: number, cut: Cut): boolean {
  if (node.op !== 'StridedSlice' || node.inputs[0].node !== from || node.inputs[0].index !== index) return false
  const [begin, end, strides] = node.inputs.slice(1).map((value) => integers(constantOf(value)))
  const masks = ['begin_mask', 'end_mask', 'shrink_axis_mask'] as const
  return (
    masks.every((mask) => node.attrs.number(mask, 0) === cut[mask]) &&
    node.attrs.number('new_axis_mask', 0) === 0 &&
    node.attrs.number('ellipsis_mask', 0) === 0 &&
    begin?.length === cut.dims &&
    begin.at(-1) === cut.begin &&
    end?.at(-1) === cut.end &&
    strides?.every((stride) => stride === 1) === true
  )
}

/** What is done to a text before it is split, as far as bytes suffice for it, and what it is done to. */
function standardised(text: Value): Standardised {
  const cleaned = text.node
  const removed = cleaned.controls.length === 0 ? removedBy(cleaned) : null
  const inner = removed === null ? text : cleaned.inputs[0]
  const { op, inputs, attrs, controls } = inner.node
  const lower = op === 'StringLower' && attrs.string('encoding', '') === '' && controls.length === 0
  return { text: lower ? inputs[0] : inner, lower, removed: removed ?? new Uint8Array() }
}

/** The bytes that a node takes out of texts; null where it does more or something else. */
function removedBy({ op, attrs }: Node): Uint8Array | null {
  if (op !== 'StaticRegexReplace' || !attrs.boolean('replace_global', true)) return null
  const pattern = utf8(attrs.bytes('pattern'))
  const found = pattern === null ? null : ByteClass.of(pattern)
  const rewritten = rewriteParts(attrs.bytes('rewrite'))
  const toNothing = rewritten?.length === 1 && (rewritten[0] as Uint8Array).length === 0
  return found?.fitsAll && toNothing ? found.bytes() : null
}

function isText(value: Value, text: string): boolean {
  const held = constantOf(value)
  return held?.dtype === 'string' && held.data.length === 1 && held.data.text(0) === text
}

function isInt64Scalar(value: Value): boolean {
  const held = constantOf(value)
  return held?.dtype === 'int64' && held.shape.length === 0
}

const integers = (held: ReturnType<typeof constantOf>): number[] | null =>
  held?.dtype === 'int32' || held?.dtype === 'int64' ? Array.from(held.data as Int32Array, Number) : null
