import { CorruptModelError, UnsupportedOpError } from '../errors.ts'
import {
  Attrs,
  CONST,
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
import type { Tensor } from '../tensor/index.ts'
import { attributesOf, type ProtoAttrs } from './attributes.ts'
import { opOf } from './complex.ts'
import { hasLoops, loopOf, reached, readsOf } from './loops.ts'
import { EXITS, order } from './order.ts'
import { RefVariables } from './refvariables.ts'
import { type Built, canonical, FILE, type Names, type NodeDef, parse, resolve, type Scope, scope } from './scope.ts'

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
/** Calls of a function. */
const CALLS = new Set(['PartitionedCall', 'StatefulPartitionedCall'])
const ANONYMOUS = /^Anonymous/
const SWITCHES = new Set(['Switch', 'RefSwitch'])
/** More nodes than any real graph has after inlining; past it a model is made to exhaust memory. */
const MOST_NODES = 2_000_000
const DEEPEST_CALL = 200

/**
 * What a graph is built from: tensors named `node:0` at the top level that a caller or the loader feeds. Of several that feed
 * one tensor the last does, and the others are parameters that nobody reads.
 */
export type Feeds = Iterable<readonly [tensor: string, { readonly name: string } | { readonly value: Tensor }]>

/**
 * Builds typed graphs out of a GraphDef: follows the fetched tensors back to the feeds, inlines every function call on
 * the way, and lets identities vanish. Resource handles (variables, tables) become constants that all graphs of one
 * builder share.
 */
export class Builder {
  private readonly top: Scope
  private readonly functions = new Map<string, FunctionDef>()
  /** Graphs of functions, and how many nodes of how many functions each is made of. */
  private readonly branches = new Map<string, { readonly graph: Graph; readonly size: number }>()
  private readonly handles = new Map<string, Tensor>()
  /** Nodes whose running depends on a Switch. */
  private readonly conditional = new WeakSet<Node>()
  private readonly references = new RefVariables()
  private readonly ops: OpTable
  private readonly options: { readonly shareByName: boolean }
  private made = 0
  /** How many functions are being built, one in the other. */
  private open = 0

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
    const whole: Scope = { ...this.top, built: new Map(), loops: new Map(), fed }
    const defs = hasLoops(whole.defs) ? reached(whole, [...fetches, ...targets]) : whole.defs
    const outputs = this.expand({ ...whole, defs }, fetches, targets, nodes)
    return prune({ parameters, nodes, outputs }, this.ops)
  }

  /** The graph of library function `name` with a parameter for each argument. */
  function(name: string, attrs: ProtoAttrs = {}): Graph {
    const key = Object.keys(attrs).length === 0 ? name : null
    const known = key === null ? undefined : this.branches.get(key)
    if (known) {
      // Who walks through the graph walks through its functions at each place that names them.
      this.count(known.size)
      return known.graph
    }
    const before = this.made
    const def = this.functions.get(name)
    if (def === undefined) throw new CorruptModelError(FILE, `function "${name}" is called but not in the library`)
    const parameters = (def.signature?.inputArg ?? []).map((arg) => parameter(arg.name ?? ''))
    const nodes: Node[] = [...parameters]
    const args = parameters.map((node) => ({ node, index: 0 }))
    const outputs = this.inline(def, name, args, attrs, nodes, 0)
    const graph = prune({ parameters, nodes, outputs }, this.ops)
    if (key !== null) this.branches.set(key, { graph, size: this.made - before })
    return graph
  }

  private count(nodes: number): void {
    this.made += nodes
    if (this.made > MOST_NODES)
      throw new CorruptModelError(FILE, `the graph has more than ${MOST_NODES} nodes after inlining`)
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
    if (this.open === DEEPEST_CALL) {
      const called = `function "${def.signature?.name}" is called within ${DEEPEST_CALL} others`
      throw new CorruptModelError(FILE, `${called}: functions that call themselves without end are not run`)
    }
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
    this.open++
    try {
      return this.expand(inner, fetches, Object.values(def.controlRet ?? {}), nodes)
    } finally {
      this.open--
    }
  }

  /** Builds all that `fetches` and `targets` need in one scope, inputs before readers, and returns the fetched values. */
  private expand(within: Scope, fetches: readonly string[], targets: readonly string[], nodes: Node[]): Value[] {
    for (const name of order(within, [...fetches.map((ref) => parse(ref, within.isFunction).name), ...targets])) {
      const def = within.defs.get(name) as NodeDef
      const isAfter = this.references.isAfterWriter(def, within)
      const built = this.convert(def, within, nodes, isAfter)
      this.references.note(built, def, isAfter)
      within.built.set(name, built)
    }
    return fetches.map((ref) => resolve(ref, within))
  }

  /** An Exit as an output of the op While, which all exits of one loop share. */
  private convertExit(def: NodeDef, within: Scope, nodes: Node[]): Built {
    const name = def.name ?? ''
    if (within.isFunction)
      throw new UnsupportedOpError(def.op ?? '', within.prefix + name, 'TF1 loops inside functions are not run')
    const loop = loopOf(name, within.defs)
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
        inputs: readsOf(loop).map((ref) => resolve(ref, within)),
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

  private convert(def: NodeDef, within: Scope, nodes: Node[], isAfterWriter: boolean): Built {
    this.count(1)
    const op = def.op ?? ''
    if (EXITS.has(op)) return this.convertExit(def, within, nodes)
    const name = within.prefix + (def.name ?? '')
    const refs = def.input ?? []
    const inputs = refs.filter((ref) => !ref.startsWith('^')).map((ref) => resolve(ref, within))
    if (isAfterWriter) this.references.readAgain(inputs, nodes)
    this.references.passOn(op, inputs)
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
    const typed = opOf(op, attrs)
    const names = this.outputNames(typed, attrs)
    // A resource without a name, made by a function, is another one at each call.
    const handle = ANONYMOUS.test(op) && within.depth > 0 ? null : this.handleOf(typed, name, attrs, inputs)
    const variable = handle === null ? null : this.references.nodesOf(op, name, handle)
    if (variable !== null) {
      nodes.push(...variable)
      return { node: variable[1], names, controls }
    }
    // Of a type that twotower does not read: as an op that it lacks, so that only what needs it is refused.
    if (op === CONST && !attrs.has('value')) {
      const node: Node = { name, op: `Const of ${attrs.dtype('dtype')}`, attrs: Attrs.none, inputs: [], controls }
      nodes.push(node)
      return { node, names, controls }
    }
    // A constant is always there. In a conditional branch it is to be had only where the branch is taken.
    if (op === CONST && controls.length > 0) {
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
        : { name, op: FORWARDERS.has(op) ? 'Identity' : typed, attrs, inputs, controls }
    if (SWITCHES.has(op) || controls.length > 0 || inputs.some((value) => this.conditional.has(value.node)))
      this.conditional.add(node)
    nodes.push(node)
    return { node, names, controls: this.conditional.has(node) ? [node] : [] }
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

const parameter = (name: string): Node => ({ name, op: PARAMETER, attrs: Attrs.none, inputs: [], controls: [] })
