import { CorruptModelError } from '../errors.ts'
import type { Node, Value } from '../graph/index.ts'
import type { tensorflow } from '../savedmodel/proto/generated.js'
import type { ProtoAttrs } from './attributes.ts'

// The nodes of a graph, or of a call of a function, by the names that others read them by, and what has been built of them.

export type NodeDef = tensorflow.NodeDef.$Properties

export const FILE = 'saved_model.pb'

/** Names of the outputs of an op, with how many tensors each is; null where an index says it all. */
export type Names = readonly (readonly [name: string, count: number])[] | null
export type Built = ({ readonly node: Node } | { readonly values: readonly Value[] }) & {
  readonly names: Names
  /** The conditional nodes that one who has a control input from this def depends on. */
  readonly controls: readonly Node[]
}

export interface Scope {
  readonly prefix: string
  readonly isFunction: boolean
  readonly attrs: ProtoAttrs
  readonly depth: number
  readonly defs: ReadonlyMap<string, NodeDef>
  readonly built: Map<string, Built>
  /** TF1 loops by frame. */
  readonly loops: Map<string, Node>
  readonly fed: ReadonlyMap<string, Value>
}

export function scope(
  prefix: string,
  defs: readonly NodeDef[],
  isFunction: boolean,
  attrs: ProtoAttrs,
  depth: number,
): Scope {
  const byName = new Map(defs.map((def) => [def.name ?? '', def]))
  return { prefix, isFunction, attrs, depth, defs: byName, built: new Map(), loops: new Map(), fed: new Map() }
}

/** `node` and `node:0` are the same tensor. */
export const canonical = (ref: string): string => (/:\d+$/.test(ref) ? ref : `${ref}:0`)

/** A reference: `^node`, `node`, `node:1` at the top level; `node:output:1` or an argument's name in a function. */
export function parse(ref: string, isFunction: boolean): { name: string; output: string | null; index: number } {
  if (ref.startsWith('^')) return { name: ref.slice(1), output: null, index: 0 }
  const parts = ref.split(':')
  if (isFunction && parts.length >= 3) return { name: parts[0], output: parts[1], index: Number(parts[2]) }
  return { name: parts[0], output: null, index: parts.length > 1 ? Number(parts[1]) || 0 : 0 }
}

function fedValue(ref: string, within: Scope): Value | undefined {
  return within.isFunction ? undefined : within.fed.get(canonical(ref))
}

/** Whether `ref` is a fed tensor, or a control input from a node that is fed. */
export function isFed(ref: string, within: Scope): boolean {
  return ref.startsWith('^') ? within.fed.has(`${ref.slice(1)}:0`) : fedValue(ref, within) !== undefined
}

/** The value that `ref` names. @throws {CorruptModelError} where there is none */
export function resolve(ref: string, within: Scope): Value {
  const fed = fedValue(ref, within)
  if (fed) return fed
  const { name, output, index } = parse(ref, within.isFunction)
  const built = within.built.get(name)
  if (built === undefined) throw new CorruptModelError(FILE, `tensor "${ref}" is not in the graph`)
  let flat = index
  if (output !== null && built.names !== null) {
    flat = 0
    const at = built.names.findIndex(([known]) => known === output)
    if (at < 0) throw new CorruptModelError(FILE, `tensor "${within.prefix}${ref}": the op has no output "${output}"`)
    for (let i = 0; i < at; i++) flat += built.names[i][1]
    flat += index
  }
  const value = 'node' in built ? { node: built.node, index: flat } : built.values[flat]
  if (value === undefined) throw new CorruptModelError(FILE, `tensor "${within.prefix}${ref}": there is no such output`)
  return value
}
