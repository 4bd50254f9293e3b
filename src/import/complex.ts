import type { Attrs } from '../graph/index.ts'
import { familyOf } from '../ops/families.ts'
import type { tensorflow } from '../savedmodel/index.ts'
import { isUnread } from '../tensor/datatypes.ts'
import { type ComplexDType, type DType, isComplex, type UnreadDType } from '../tensor/index.ts'

/** Ops that hand on tensors of any dtype and do not look into them, or only hold them in a variable. */
const CARRIERS: ReadonlySet<string> = new Set(
  `Assign AssignVariableOp Case Const Identity If IsVariableInitialized LoopCond Merge NoOp Placeholder PlaceholderV2
  ReadVariableOp RefMerge RefSwitch RestoreV2 StatelessCase StatelessIf StatelessWhile Switch VarHandleOp
  VarIsInitializedOp Variable VariableShape VariableV2 While`.split(/\s+/),
)

/**
 * What an op is called in the typed graph. Where a type of its attributes is complex, `complex>Mul` for `Mul`, an entry of its
 * own: so an op that does not know complex numbers, two places of an array each, is never given one. It is called
 * `Relu of complex64`, which nothing has, and refused by that name where it is needed. Ops of spectra are about complex
 * numbers, and lists hold them: these keep their names. An op of a type that twotower does not read is refused by such a name too.
 */
export function opOf(op: string, attrs: Attrs): string {
  // What restores a checkpoint names the types of all that is in it.
  const unread = op === 'RestoreV2' ? null : typeAmong(attrs, isUnread)
  if (unread !== null) return `${op} of ${unread}`
  const dtype = typeAmong(attrs, isComplexName)
  const family = familyOf(op)
  if (dtype === null || CARRIERS.has(op) || family === 'spectra' || family === 'lists') return op
  const own = `complex>${op}`
  return familyOf(own) === undefined ? `${op} of ${dtype}` : own
}

function typeAmong<D extends ComplexDType | UnreadDType>(attrs: Attrs, is: (attr: unknown) => attr is D): D | null {
  for (const [, attr] of attrs.entries()) {
    const found = Array.isArray(attr) ? attr.find(is) : attr
    if (is(found)) return found
  }
  return null
}

const isComplexName = (attr: unknown): attr is ComplexDType => typeof attr === 'string' && isComplex(attr as DType)

/** The names that nodes of an export may have in the typed graph. */
export function namesIn(metaGraphs: readonly tensorflow.MetaGraphDef.$Properties[]): Set<string> {
  const names = new Set<string>()
  let isComplex = false
  for (const { graphDef } of metaGraphs) {
    const functions = graphDef?.library?.function ?? []
    for (const nodes of [graphDef?.node ?? [], ...functions.map(({ nodeDef }) => nodeDef ?? [])]) {
      for (const { op, attr } of nodes) {
        names.add(op ?? '')
        // Whatever makes or takes a complex number says so; of a function's placeholder its call does.
        isComplex ||= attr != null && holdsComplex(attr)
      }
    }
  }
  if (isComplex) for (const name of [...names]) names.add(`complex>${name}`)
  return names
}

function holdsComplex(attr: Readonly<Record<string, tensorflow.AttrValue.$Properties>>): boolean {
  for (const name in attr) {
    const { type, list } = attr[name]
    if (isComplexNumber(type) || list?.type?.some(isComplexNumber)) return true
  }
  return false
}

/** DT_COMPLEX64 and DT_COMPLEX128 of types.proto, and references to them. */
const isComplexNumber = (type: number | null | undefined): boolean =>
  type === 8 || type === 18 || type === 108 || type === 118
