import { CorruptModelError, UnsupportedOpError } from '../errors.ts'
import {
  Attrs,
  constant,
  constantOf,
  type Dim,
  type Graph,
  type Node,
  type OpTable,
  PARAMETER,
  type Value,
} from '../graph/index.ts'
import { prune } from '../graph/rewrite.ts'
import { shapeOf } from '../savedmodel/index.ts'
import type { tensorflow } from '../savedmodel/proto/generated.js'
import { dtypeOf, type Tensor } from '../tensor/index.ts'
import { attributesOf, type ProtoAttrs } from './attributes.ts'
import { type Loop, loopOf } from './loops.ts'

type NodeDef = tensorflow.NodeDef.$Properties
type FunctionDef = tensorflow.FunctionDef.$Properties

/** Ops whose outputs are their inputs; no node is made of them. */
const FORWARDERS = new Set([
  'Identity',
  'IdentityN',
  'RefIdentity',
  'StopGradient',
  'PreventGradient',
  'Snapshot',
  'PlaceholderWithDefault',
  'GuaranteeConst',
  'DeepCopy',
])
const CALLS = new Set(['PartitionedCall', 'StatefulPartitionedCall'])
/** TF1's ref variables: their output is a value for every reader but the ops that assign through the reference. */
const REF_VARIABLES = new Set(['VariableV2', 'Variable'])
const REF_WRITERS = /^(Assign|AssignAdd|AssignSub|IsVariableInitialized|CountUpTo|Scatter\w+|Apply\w+|SparseApply\w+)$/
const READ = 'ReadVariableOp'
const ANONYMOUS = /^Anonymous/
const REF_SOURCES = /^(ReadVariableOp|Assign(Add|Sub)?|Scatter(Nd)?(Update|Add|Sub|Mul|Div|Min|Max))$/
const isReference = (value: Value | undefined): boolean =>
  value !== undefined && REF_SOURCES.test(value.node.op) && value.node.inputs[0].node.op !== PARAMETER
const SWITCHES = new Set(['Switch', 'RefSwitch'])
const EXITS = new Set(['Exit', 'RefExit'])
/** The other ops of TF1's loops: a graph that reaches one but through an Exit holds no whole loop. */
const FRAMES = new Set(['Enter', 'RefEnter', 'NextIteration', 'RefNextIteration'])

const FILE = 'saved_model.pb'
/** More nodes than any real graph has after inlining; past it a model is made to exhaust memory. */
const MOST_NODES = 2_000_000
const DEEPEST_CALL = 200

/** What a graph is built from: tensors named `node:0` at the top level that a caller or the loader feeds. */
export type Feeds = ReadonlyMap<string, { readonly name: string } | { readonly value: Tensor }>

/**
 * Builds typed graphs out of a GraphDef: follows the fetched tensors back to the feeds, inlines every function call on
 * the way, and lets identities vanish. Resource handles (variables, tables) become constants that all graphs of one
 * builder share.
 */
export class Builder {
  private readonly top: Scope
  private readonly functions = new Map<string, FunctionDef>()
  private readonly branches = new Map<string, Graph>()
  private readonly handles = new Map<string, Tensor>()
  /** Nodes whose running depends on a Switch. */
  private readonly conditional = new WeakSet<Node>()
  /** The values of TF1's ref variables. */
  private readonly refReads = new WeakSet<Node>()
  /** What assigns to one, or waits for that. */
  private readonly afterWriters = new WeakSet<Built>()
  private readonly ops: OpTable
  private readonly options: { readonly shareByName: boolean }
  private made = 0

  /**
   * @param options.shareByName handles with the same `shared_name` are one resource, as in a TF1 session. In a TF2
   *   export each node is a resource of its own, even where the names collide.
   */
  constructor(graph: tensorflow.GraphDef.$Properties, ops: OpTable, options: { readonly shareByName: boolean }) {
    this.ops = ops
    this.options = options
    this.top = scope('', graph.node ?? [], false, {}, 0)
    for (const f of graph.library?.function ?? []) this.functions.set(f.signature?.name ?? '', f)
  }

  /** True where the top level has a node `name`. */
  has(name: string): boolean {
    return this.top.defs.has(name)
  }

  /**
   * The shape that `tensor` has in the graph, as far as it is known there: TensorFlow feeds nothing else, also where the
   * signature leaves it open. Null where the rank is not known.
   */
  fedShape(tensor: string): readonly Dim[] | null {
    const { name, index } = parse(tensor, false)
    const def = this.top.defs.get(name)
    const inferred = def?.attr?._output_shapes?.list?.shape?.[index]
    const declared = def?.op === 'Placeholder' ? def.attr?.shape?.shape : undefined
    // Old producers wrote an unknown shape of a placeholder as a scalar's.
    return shapeOf(inferred ?? (declared?.dim?.length ? declared : { unknownRank: true }))
  }

  /** What the tensor of a PlaceholderWithDefault is where nobody feeds it; null for every other, or where it is no constant. */
  defaultOf(tensor: string): Tensor | null {
    const def = this.top.defs.get(parse(tensor, false).name)
    if (def?.op !== 'PlaceholderWithDefault') return null
    return constantOf(this.build([def.input?.[0] ?? ''], [], new Map()).outputs[0])
  }

  /**
   * The graph that computes `fetches` (names like `dense/BiasAdd:0`) from `feeds` and runs the nodes `targets`.
   * @throws {CorruptModelError} where a name is not in the graph
   */
  build(fetches: readonly string[], targets: readonly string[], feeds: Feeds): Graph {
    const nodes: Node[] = []
    const fed = new Map<string, Value>()
    const parameters: Node[] = []
    for (const [tensor, feed] of feeds) {
      const node = 'value' in feed ? constant(tensor, feed.value) : parameter(feed.name)
      if (!('value' in feed)) parameters.push(node)
      nodes.push(node)
      fed.set(canonical(tensor), { node, index: 0 })
    }
    const outputs = this.expand({ ...this.top, built: new Map(), loops: new Map(), fed }, fetches, targets, nodes)
    return prune({ parameters, nodes, outputs }, this.ops)
  }

  /** The graph of library function `name` with a parameter for each argument. */
  function(name: string, attrs: ProtoAttrs = {}): Graph {
    const key = Object.keys(attrs).length === 0 ? name : null
    const known = key === null ? undefined : this.branches.get(key)
    if (known) return known
    const def = this.functions.get(name)
    if (def === undefined) throw new CorruptModelError(FILE, `function "${name}" is called but not in the library`)
    const parameters = (def.signature?.inputArg ?? []).map((arg) => parameter(arg.name ?? ''))
    const nodes: Node[] = [...parameters]
    const outputs = this.inline(
      def,
      name,
      parameters.map((node) => ({ node, index: 0 })),
      attrs,
      nodes,
      0,
    )
    const graph = prune({ parameters, nodes, outputs }, this.ops)
    if (key !== null) this.branches.set(key, graph)
    return graph
  }

  /** The argument types of library function `name`, or null where there is no such function. */
  signatureOf(name: string): tensorflow.OpDef.$Properties | null {
    return this.functions.get(name)?.signature ?? null
  }

  private inline(
    def: FunctionDef,
    name: string,
    args: readonly Value[],
    attrs: ProtoAttrs,
    nodes: Node[],
    depth: number,
  ): Value[] {
    if (depth > DEEPEST_CALL) throw new CorruptModelError(FILE, `function "${name}" calls itself without end`)
    const inner = scope(`${name}/`, def.nodeDef ?? [], true, attrs, depth)
    const declared = def.signature?.inputArg ?? []
    let taken = 0
    for (const arg of declared) {
      // An argument that is a list takes as many values as its attribute says.
      const count = arg.numberAttr
        ? Number(attrs[arg.numberAttr]?.i ?? 1)
        : arg.typeListAttr
          ? (attrs[arg.typeListAttr]?.list?.type?.length ?? 1)
          : 1
      inner.built.set(arg.name ?? '', { values: args.slice(taken, taken + count), names: null, controls: [] })
      taken += count
    }
    if (taken !== args.length)
      throw new CorruptModelError(FILE, `function "${name}" takes ${taken} arguments, its call gives ${args.length}`)
    const fetches = (def.signature?.outputArg ?? []).map((arg) => def.ret?.[arg.name ?? ''] ?? `${arg.name}`)
    return this.expand(inner, fetches, Object.values(def.controlRet ?? {}), nodes)
  }

  /** Builds all that `fetches` and `targets` need in one scope, inputs before readers, and returns the fetched values. */
  private expand(within: Scope, fetches: readonly string[], targets: readonly string[], nodes: Node[]): Value[] {
    for (const name of this.order(within, [...fetches.map((ref) => parse(ref, within.isFunction).name), ...targets])) {
      const def = within.defs.get(name) as NodeDef
      const after = this.comesAfterWriter(def, within)
      const built = this.convert(def, within, nodes, after)
      if (after || REF_WRITERS.test(def.op ?? '')) this.afterWriters.add(built)
      within.built.set(name, built)
    }
    return fetches.map((ref) => this.resolve(ref, within))
  }

  /** The defs that `roots` need and that are not built yet, in an order that respects data and control inputs. */
  private order(within: Scope, roots: readonly string[]): string[] {
    const sorted: string[] = []
    const state = new Map<string, 'open' | 'done'>()
    const stack: { name: string; next: number; inputs: readonly string[] }[] = []
    const open = (name: string, reader: string) => {
      if (within.built.has(name) || state.get(name) === 'done') return
      if (state.get(name) === 'open')
        throw new CorruptModelError(FILE, `nodes "${name}" and "${reader}" need each other`)
      const def = within.defs.get(name)
      if (def === undefined)
        throw new CorruptModelError(FILE, `node "${within.prefix}${reader}" reads "${name}", which is not in the graph`)
      if (FRAMES.has(def.op ?? '')) {
        throw new UnsupportedOpError(
          def.op ?? '',
          name,
          'TF1 while loops by frames are not run; export with control flow v2',
        )
      }
      state.set(name, 'open')
      const refs = EXITS.has(def.op ?? '') ? this.loop(name, within).reads : (def.input ?? [])
      const needed = refs.filter((ref) => !this.isFed(ref, within)).map((ref) => parse(ref, within.isFunction).name)
      stack.push({ name, next: 0, inputs: needed })
    }
    for (const root of roots) {
      if (!within.isFunction && within.fed.has(`${root}:0`)) continue
      open(root, root)
      while (stack.length > 0) {
        const entry = stack[stack.length - 1]
        if (entry.next < entry.inputs.length) open(entry.inputs[entry.next++], entry.name)
        else {
          state.set(entry.name, 'done')
          sorted.push(entry.name)
          stack.pop()
        }
      }
    }
    return sorted
  }

  /** Whether `ref` is a fed tensor, or a control input from a node that is fed. */
  private isFed(ref: string, within: Scope): boolean {
    return ref.startsWith('^') ? within.fed.has(`${ref.slice(1)}:0`) : this.fedValue(ref, within) !== undefined
  }

  /** The TF1 loop that ends in Exit `name`, and the tensors outside that it reads. */
  private loop(name: string, within: Scope): { readonly loop: Loop; readonly reads: readonly string[] } {
    const loop = loopOf(name, within.defs)
    return { loop, reads: [...loop.initial, ...loop.constants.map((constant) => constant.outside)] }
  }

  /** An Exit as an output of the op While, which all exits of one loop share. */
  private convertExit(def: NodeDef, within: Scope, nodes: Node[]): Built {
    const name = def.name ?? ''
    if (within.isFunction)
      throw new UnsupportedOpError(def.op ?? '', within.prefix + name, 'TF1 loops inside functions are not run')
    const { loop, reads } = this.loop(name, within)
    let node = within.loops.get(loop.frame)
    if (node === undefined) {
      const fetches = loop.constants.map((constant) => `${constant.node}:0`)
      const round = (variables: readonly string[], outputs: readonly string[]) =>
        this.round(within, [...variables, ...fetches], outputs)
      const cond = round(
        loop.merges.map((merge) => `${merge}:0`),
        [loop.condition],
      )
      const body = round(
        loop.switches.map((at, i) => (at === '' ? `${loop.merges[i]}:0` : `${at}:1`)),
        [...loop.next, ...fetches],
      )
      const attrs = new Attrs({ cond: { graph: cond }, body: { graph: body } })
      node = {
        name: `${within.prefix}${loop.frame}`,
        op: 'While',
        attrs,
        inputs: reads.map((ref) => this.resolve(ref, within)),
        controls: [],
      }
      within.loops.set(loop.frame, node)
      nodes.push(node)
    }
    const merge = parse(within.defs.get(parse(def.input?.[0] ?? '', false).name)?.input?.[0] ?? '', false).name
    return { values: [{ node, index: loop.merges.indexOf(merge) }], names: null, controls: [] }
  }

  /** One round's condition or body: from the loop's variables to `outputs`. */
  private round(within: Scope, variables: readonly string[], outputs: readonly string[]): Graph {
    const parameters = variables.map((tensor) => parameter(tensor))
    const nodes: Node[] = [...parameters]
    const fed = new Map(variables.map((tensor, i) => [tensor, { node: parameters[i], index: 0 }]))
    const values = this.expand({ ...within, built: new Map(), loops: new Map(), fed }, outputs, [], nodes)
    return prune({ parameters, nodes, outputs: values }, this.ops)
  }

  private fedValue(ref: string, within: Scope): Value | undefined {
    return within.isFunction ? undefined : within.fed.get(canonical(ref))
  }

  private resolve(ref: string, within: Scope): Value {
    const fed = this.fedValue(ref, within)
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
    if (value === undefined)
      throw new CorruptModelError(FILE, `tensor "${within.prefix}${ref}": there is no such output`)
    return value
  }

  private convert(def: NodeDef, within: Scope, nodes: Node[], afterWriter: boolean): Built {
    if (++this.made > MOST_NODES)
      throw new CorruptModelError(FILE, `the graph has more than ${MOST_NODES} nodes after inlining`)
    const op = def.op ?? ''
    if (EXITS.has(op)) return this.convertExit(def, within, nodes)
    const name = within.prefix + (def.name ?? '')
    const refs = def.input ?? []
    const inputs = refs.filter((ref) => !ref.startsWith('^')).map((ref) => this.resolve(ref, within))
    if (afterWriter) this.readAgain(inputs, nodes)
    // An assignment hands its reference on: the next one assigns to the same variable, after it.
    if (REF_WRITERS.test(op) && isReference(inputs[0])) inputs[0] = inputs[0].node.inputs[0]
    const controls = refs
      .filter((ref) => ref.startsWith('^'))
      .flatMap((ref) => this.conditionsOf(within.built.get(ref.slice(1))))
    const protos = def.attr ?? {}

    const called = CALLS.has(op) ? protos.f?.func : this.functions.has(op) ? { name: op, attr: protos } : null
    if (called) {
      const target = this.functions.get(called.name ?? '')
      if (target === undefined)
        throw new CorruptModelError(FILE, `node "${name}" calls "${called.name}", which is not in the library`)
      const inner: Node[] = []
      const values = this.inline(target, name, inputs, called.attr ?? {}, inner, within.depth + 1)
      for (const node of inner) nodes.push(controls.length > 0 ? this.underConditions(node, controls) : node)
      const names = CALLS.has(op)
        ? null
        : (target.signature?.outputArg ?? []).map((arg) => [arg.name ?? '', 1] as const)
      return { values, names, controls }
    }
    const throughSwitch = inputs.some((value) => SWITCHES.has(value.node.op))
    if (FORWARDERS.has(op) && controls.length === 0 && !throughSwitch) return { values: inputs, names: null, controls }

    const attrs = attributesOf(protos, within.attrs, (callee, bound) => this.function(callee, bound))
    const names = this.outputNames(op, attrs)
    // A resource without a name, made by a function, is another one at each call.
    const handle = ANONYMOUS.test(op) && within.depth > 0 ? null : this.handleOf(op, name, attrs, inputs)
    if (handle !== null && REF_VARIABLES.has(op)) {
      const variable = constant(name, handle)
      const read: Node = { name, op: READ, attrs: Attrs.none, inputs: [{ node: variable, index: 0 }], controls: [] }
      nodes.push(variable, read)
      this.refReads.add(read)
      return { node: read, names, controls }
    }
    // A constant is always there. In a conditional branch it is to be had only where the branch is taken.
    if (op === 'Const' && controls.length > 0) {
      const value = constant(name, attrs.tensor('value'))
      nodes.push(value)
      const guarded: Node = { name, op: 'Identity', attrs: Attrs.none, inputs: [{ node: value, index: 0 }], controls }
      this.conditional.add(guarded)
      nodes.push(guarded)
      return { node: guarded, names, controls: [guarded] }
    }
    const node: Node =
      handle !== null
        ? constant(name, handle)
        : { name, op: FORWARDERS.has(op) ? 'Identity' : op, attrs, inputs, controls }
    if (SWITCHES.has(op) || controls.length > 0 || inputs.some((value) => this.conditional.has(value.node)))
      this.conditional.add(node)
    nodes.push(node)
    return { node, names, controls: this.conditional.has(node) ? [node] : [] }
  }

  private comesAfterWriter(def: NodeDef, within: Scope): boolean {
    return (def.input ?? []).some((ref) => {
      const built = within.built.get(parse(ref, within.isFunction).name)
      return built !== undefined && this.afterWriters.has(built)
    })
  }

  /**
   * A ref variable's value is the variable's own memory: who comes after an assignment reads what was assigned, also
   * through an Identity that came before it (core/kernels/assign_op.h copies in place).
   */
  private readAgain(inputs: Value[], nodes: Node[]): void {
    for (const [i, { node, index }] of inputs.entries()) {
      if (!this.refReads.has(node)) continue
      const read = { ...node }
      this.refReads.add(read)
      nodes.push(read)
      inputs[i] = { node: read, index }
    }
  }

  /** A call in a conditional branch: what it was inlined to runs only where the branch does. */
  private underConditions(node: Node, controls: readonly Node[]): Node {
    Object.assign(node, { controls: [...node.controls, ...controls] })
    this.conditional.add(node)
    return node
  }

  private conditionsOf(built: Built | undefined): readonly Node[] {
    return built?.controls ?? []
  }

  private outputNames(op: string, attrs: Attrs): Names {
    const outputs = this.ops.get(op)?.outputs
    if (outputs === undefined) return null
    return typeof outputs === 'function' ? outputs(attrs) : outputs.map((output) => [output, 1] as const)
  }

  /** The resource of a handle op, one for all graphs; null for every other op. */
  private handleOf(op: string, name: string, attrs: Attrs, inputs: readonly Value[]): Tensor | null {
    const entry = this.ops.get(op)
    if (!entry?.resource) return null
    const shared = attrs.has('shared_name') ? attrs.string('shared_name') : ''
    const key = this.options.shareByName && shared !== '' ? shared : name
    let tensor = this.handles.get(key)
    if (tensor === undefined) {
      tensor = entry.resource(key, attrs, inputs.map(constantOf))
      this.handles.set(key, tensor)
    }
    return tensor
  }
}

/** Names of the outputs of an op, with how many tensors each is; null where an index says it all. */
type Names = readonly (readonly [name: string, count: number])[] | null
type Built = ({ readonly node: Node } | { readonly values: readonly Value[] }) & {
  readonly names: Names
  /** The conditional nodes that one who has a control input from this def depends on. */
  readonly controls: readonly Node[]
}

interface Scope {
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

function scope(prefix: string, defs: readonly NodeDef[], isFunction: boolean, attrs: ProtoAttrs, depth: number): Scope {
  const byName = new Map(defs.map((def) => [def.name ?? '', def]))
  return { prefix, isFunction, attrs, depth, defs: byName, built: new Map(), loops: new Map(), fed: new Map() }
}

const parameter = (name: string): Node => ({ name, op: PARAMETER, attrs: Attrs.none, inputs: [], controls: [] })

/** `node` and `node:0` are the same tensor. */
const canonical = (ref: string): string => (/:\d+$/.test(ref) ? ref : `${ref}:0`)

/** A reference: `^node`, `node`, `node:1` at the top level; `node:output:1` or an argument's name in a function. */
function parse(ref: string, isFunction: boolean): { name: string; output: string | null; index: number } {
  if (ref.startsWith('^')) return { name: ref.slice(1), output: null, index: 0 }
  const parts = ref.split(':')
  if (isFunction && parts.length >= 3) return { name: parts[0], output: parts[1], index: Number(parts[2]) }
  return { name: parts[0], output: null, index: parts.length > 1 ? Number(parts[1]) || 0 : 0 }
}

/** The dtype of an argument of a function, where it is a plain one. */
export const argumentDtype = (arg: tensorflow.OpDef.ArgDef.$Properties) => dtypeOf(arg.type ?? 0)
