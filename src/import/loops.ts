import { CorruptModelError } from '../errors.ts'
import { FILE, isFed, type NodeDef, type Scope } from './scope.ts'

type Defs = ReadonlyMap<string, NodeDef>

/**
 * One of TF1's while loops, which are made of five ops in a named frame (core/kernels/control_flow_ops.cc):
 * Enter → Merge → Switch on LoopCond → Exit, or the body → NextIteration → Merge. Each list has one item a loop
 * variable, in one order; names are of nodes.
 */
export interface Loop {
  readonly frame: string
  /** Tensors that the variables begin with. */
  readonly initial: readonly string[]
  /** The nodes whose output a round begins with. */
  readonly merges: readonly string[]
  /** The nodes whose output 1 goes into the body. */
  readonly switches: readonly string[]
  /** Tensors that the next round begins with. */
  readonly next: readonly string[]
  /** The tensor that says whether there is another round. */
  readonly condition: string
  /** What the loop reads and never changes: the Enter nodes, and the tensors outside. */
  readonly constants: readonly { readonly node: string; readonly outside: string }[]
}

const ENTER = /^(Ref)?Enter$/
const nameOf = (ref: string): string => ref.replace(/^\^/, '').split(':')[0]

/** Whether a graph has loops of this kind. */
export function hasLoops(defs: Defs): boolean {
  for (const { op } of defs.values()) if (ENTER.test(op ?? '')) return true
  return false
}

/**
 * The nodes of a graph that `roots` need, by data or control, as a session of TF1 prunes it before it runs. A graph
 * that was trained holds variables in its loops that only gradients read, such as how many rounds there were and
 * what each computed; an answer does not need them, and their ops need not run here.
 */
export function reached(within: Scope, roots: readonly string[]): Map<string, NodeDef> {
  const found = new Map<string, NodeDef>()
  const ahead = [...roots]
  for (let ref = ahead.pop(); ref !== undefined; ref = ahead.pop()) {
    const def = isFed(ref, within) ? undefined : within.defs.get(nameOf(ref))
    if (def === undefined || found.has(nameOf(ref))) continue
    found.set(nameOf(ref), def)
    ahead.push(...(def.input ?? []))
  }
  return found
}

/** What the loops of a graph are made of, each found once: a graph has a hundred exits, and tens of thousands of nodes. */
interface Parts {
  /** By frame. */
  readonly enters: ReadonlyMap<string, readonly NodeDef[]>
  /** By the frame of the Enter that they join. */
  readonly merges: ReadonlyMap<string, readonly NodeDef[]>
  /** By the node that they follow. */
  readonly switches: ReadonlyMap<string, NodeDef>
}

const PARTS = new WeakMap<Defs, Parts>()

function partsOf(defs: Defs): Parts {
  const known = PARTS.get(defs)
  if (known !== undefined) return known
  const enters = new Map<string, NodeDef[]>()
  const merges = new Map<string, NodeDef[]>()
  const switches = new Map<string, NodeDef>()
  const put = (among: Map<string, NodeDef[]>, frame: string, node: NodeDef) => {
    const others = among.get(frame)
    if (others === undefined) among.set(frame, [node])
    else others.push(node)
  }
  for (const node of defs.values()) {
    const frame = frameOf(node)
    if (frame !== null) put(enters, frame, node)
    else if (/^(Ref)?Switch$/.test(node.op ?? '')) switches.set(nameOf(node.input?.[0] ?? ''), node)
    else if (/^(Ref)?Merge$/.test(node.op ?? '')) {
      const frames = (node.input ?? []).map((ref) => frameOf(defs.get(nameOf(ref)) ?? {}))
      for (const of of new Set(frames)) if (of !== null) put(merges, of, node)
    }
  }
  const parts = { enters, merges, switches }
  PARTS.set(defs, parts)
  return parts
}

/** The loop that the node `exit` (op Exit) ends. @throws {CorruptModelError} where the ops do not make a loop */
export function loopOf(exit: string, defs: Defs): Loop {
  const broken = (why: string) => new CorruptModelError(FILE, `the loop of node "${exit}": ${why}`)
  const def = (ref: string | undefined): NodeDef => {
    const found = defs.get(nameOf(ref ?? ''))
    if (found === undefined) throw broken(`"${ref}" is not in the graph`)
    return found
  }
  const merge = def(def(def(exit).input?.[0]).input?.[0])
  const frame = frameOf(def(merge.input?.[0]))
  if (frame === null) throw broken('it has no Enter')
  const parts = partsOf(defs)
  const enters = parts.enters.get(frame) ?? []
  const constants = enters.filter((node) => node.attr?.is_constant?.b === true)
  const names = new Set(enters.map((node) => node.name ?? ''))
  const merges = parts.merges.get(frame) ?? []
  const switches = merges.map((node) => parts.switches.get(node.name ?? ''))
  const loopCondition = def(switches.find((node) => node !== undefined)?.input?.[1])
  if (loopCondition.op !== 'LoopCond') throw broken('its Switch does not follow a LoopCond')
  const split = merges.map((node) => {
    const inputs = node.input ?? []
    const start = inputs.find((ref) => names.has(nameOf(ref)))
    const back = inputs.find((ref) => /NextIteration$/.test(def(ref).op ?? ''))
    if (start === undefined || back === undefined)
      throw broken(`"${node.name}" does not join an Enter and a NextIteration`)
    return { initial: def(start).input?.[0] ?? '', next: def(back).input?.[0] ?? '' }
  })
  return {
    frame,
    initial: split.map((part) => part.initial),
    merges: merges.map((node) => node.name ?? ''),
    switches: switches.map((node) => node?.name ?? ''),
    next: split.map((part) => part.next),
    condition: loopCondition.input?.[0] ?? '',
    constants: constants.map((node) => ({ node: node.name ?? '', outside: node.input?.[0] ?? '' })),
  }
}

function frameOf(node: NodeDef): string | null {
  if (!ENTER.test(node.op ?? '')) return null
  return new TextDecoder().decode(node.attr?.frame_name?.s ?? new Uint8Array(0))
}

/** The tensors outside of a loop that it reads: where its variables begin, and what does not change in it. */
export const readsOf = ({ initial, constants }: Loop): readonly string[] => [
  ...initial,
  ...constants.map(({ outside }) => outside),
]
