import { CorruptModelError } from '../errors.ts'
import {
  Attrs,
  constant,
  type Files,
  type Graph,
  handle,
  type Node,
  type OpTable,
  type Port,
  Program,
  type Signature,
  type Value,
  type Variable,
} from '../graph/index.ts'
import { rewrite } from '../graph/rewrite.ts'
import { type SavedModel, shapeOf, type tensorflow } from '../savedmodel/index.ts'
import { dtypeName, dtypeOf, isUnread } from '../tensor/datatypes.ts'
import { Strings, type Tensor, tensor } from '../tensor/index.ts'
import type { Builder } from './builder.ts'
import { checkpointKeys } from './objectkeys.ts'
import { argumentsOf, chosenBy, resultsOf } from './structures.ts'

type MetaGraph = tensorflow.MetaGraphDef.$Properties

const FILE = 'saved_model.pb'
const INDEX = 'variables/variables.index'

/**
 * The functions of a TF2 export's objects (`call`, `query.embed`, …) as signatures, for exports that have no others: those
 * of the root object by their names, those of the objects in it by the path that leads there.
 * What a function captured is bound the way `tf.saved_model.load` does it: by the object graph.
 *
 * @throws {CorruptModelError} where the object graph does not fit the checkpoint or the function library
 */
export async function restoredFunctions(
  saved: SavedModel,
  meta: MetaGraph,
  builder: Builder,
  files: Files,
  ops: OpTable,
): Promise<Signature[]> {
  const objects = new Objects(saved, meta, builder, files, ops)
  const nodes = meta.objectGraphDef?.nodes ?? []
  const signatures: Signature[] = []
  const visited = new Set([0])
  const pending: [path: string, object: number][] = [['', 0]]
  for (let place = pending.shift(); place !== undefined; place = pending.shift()) {
    const [path, object] = place
    for (const { localName, nodeId } of nodes[object]?.children ?? []) {
      const node = nodes[nodeId ?? 0]
      const name = `${path}${localName}`
      if (path !== '' && OWN.test(localName ?? '')) continue
      const traces = node?.function?.concreteFunctions ?? []
      // tf.function keeps a trace for each kind of input: signatures of one name, of which the inputs choose. They cannot
      // choose between traces that differ by Python values, which are told apart by name.
      for (const concrete of traces) {
        const by = chosenBy(meta.objectGraphDef?.concreteFunctions?.[concrete], node?.function?.functionSpec)
        signatures.push(await objects.signature(by === '' ? name : `${name}(${by})`, concrete))
      }
      const bare = node?.bareConcreteFunction?.concreteFunctionName
      if (bare) signatures.push(await objects.signature(name, bare))
      if (!node?.userObject || OWN.test(localName ?? '') || visited.has(nodeId ?? 0)) continue
      visited.add(nodeId ?? 0)
      pending.push([`${name}.`, nodeId ?? 0])
    }
  }
  return signatures
}

/** What Keras, its layers and saving keep for themselves in an object. */
const OWN =
  /^(_(?!_call__$).*|keras_api|signatures|layers?([-_].*)?|regularization_losses|(non_)?(trainable_)?variables|.*call_(and_return.*|fn))$/

class Objects {
  private readonly bound = new Map<number, Tensor>()
  private keys: ReadonlyMap<number, string> | null = null
  private readonly saved: SavedModel
  private readonly meta: MetaGraph
  private readonly builder: Builder
  private readonly files: Files
  private readonly ops: OpTable

  constructor(saved: SavedModel, meta: MetaGraph, builder: Builder, files: Files, ops: OpTable) {
    this.saved = saved
    this.meta = meta
    this.builder = builder
    this.files = files
    this.ops = ops
  }

  async signature(name: string, concrete: string): Promise<Signature> {
    const def = this.meta.objectGraphDef?.concreteFunctions?.[concrete]
    const args = this.builder.signatureOf(concrete)?.inputArg ?? []
    const captures = def?.boundInputs ?? []
    const own = args.length - captures.length
    const specs = argumentsOf(def)
    const inputs = args.slice(0, own).map((arg, i): Port => {
      const { name, spec } = specs.length === own ? specs[i] : { name: '', spec: undefined }
      return {
        name: name || arg.name || `input_${i}`,
        dtype: dtypeName(arg.type ?? 0),
        shape: spec === undefined ? null : shapeOf(spec.shape),
      }
    })
    const graph = await this.withCaptures(this.builder.function(concrete), inputs.length, captures)
    const results = def?.outputSignature ? resultsOf(def.outputSignature) : []
    const outputs = (this.builder.signatureOf(concrete)?.outputArg ?? []).map((arg, i): Port => {
      const known = results.length === graph.outputs.length ? results[i] : undefined
      return {
        name: known?.name ?? `output_${i}`,
        dtype: dtypeName(arg.type ?? 0),
        shape: known === undefined ? null : shapeOf(known.spec.shape),
      }
    })
    return { name, method: 'restored function', inputs, outputs, graph }
  }

  /** `graph` with what its last parameters stand for. */
  private async withCaptures(graph: Graph, own: number, captures: readonly number[]): Promise<Graph> {
    const values = new Map<unknown, Node>()
    for (const [i, node] of graph.parameters.slice(own).entries()) {
      values.set(node, this.unread(captures[i], node.name) ?? constant(node.name, await this.capture(captures[i])))
    }
    const rewritten = rewrite(graph, (node, { emit }) => {
      const value = values.get(node)
      return value === undefined ? null : [{ node: emit(value), index: 0 } satisfies Value]
    })
    return { ...rewritten, parameters: graph.parameters.slice(0, own) }
  }

  /** An op that twotower lacks, for a variable of a type that it does not read: only what needs it is refused. */
  private unread(id: number, name: string): Node | null {
    const variable = this.meta.objectGraphDef?.nodes?.[id]?.variable
    const dtype = variable == null ? null : dtypeName(variable.dtype ?? 0)
    if (!isUnread(dtype)) return null
    return { name, op: `VarHandleOp of ${dtype}`, attrs: Attrs.none, inputs: [], controls: [] }
  }

  /** The tensor that stands for object `id`. */
  private async capture(id: number): Promise<Tensor> {
    const known = this.bound.get(id)
    if (known !== undefined) return known
    const object = this.meta.objectGraphDef?.nodes?.[id]
    let made: Tensor
    if (object?.variable) made = await this.variable(id, object.variable)
    else if (object?.asset) {
      const filename = this.meta.assetFileDef?.[object.asset.assetFileDefIndex ?? 0]?.filename ?? ''
      made = tensor('string', [], Strings.from([`assets/${filename}`]))
    } else if (object?.constant)
      made = this.evaluate(this.builder.build([`${object.constant.operation}:0`], [], new Map()))
    else if (object?.resource) {
      made = this.evaluate(this.builder.function(this.method(id, '_create_resource')))
      this.bound.set(id, made)
      await this.initialize(id)
    } else
      throw new CorruptModelError(
        FILE,
        `a function captures object ${id}, which is no variable, table, asset or constant`,
      )
    this.bound.set(id, made)
    return made
  }

  private async initialize(id: number): Promise<void> {
    const name = this.method(id, '_initialize')
    const captures = this.meta.objectGraphDef?.concreteFunctions?.[name]?.boundInputs ?? []
    this.evaluate(await this.withCaptures(this.builder.function(name), 0, captures))
  }

  private evaluate(graph: Graph): Tensor {
    return new Program(graph, this.ops).run([], this.files)[0]
  }

  /** The concrete function behind child `name` of object `id`. */
  private method(id: number, name: string): string {
    const child = this.meta.objectGraphDef?.nodes?.[id]?.children?.find(({ localName }) => localName === name)
    const object = this.meta.objectGraphDef?.nodes?.[child?.nodeId ?? -1]
    const concrete = object?.bareConcreteFunction?.concreteFunctionName ?? object?.function?.concreteFunctions?.[0]
    if (!concrete) throw new CorruptModelError(FILE, `object ${id} has no function ${name}`)
    return concrete
  }

  private async variable(id: number, { dtype, name }: tensorflow.SavedVariable.$Properties): Promise<Tensor> {
    this.keys ??= await checkpointKeys(this.saved, this.meta)
    const key = this.keys.get(id)
    if (this.saved.checkpoint === null)
      throw new CorruptModelError(
        INDEX,
        `missing: the functions read variable "${name}"; copy the folder variables/ too`,
      )
    if (key === undefined) throw new CorruptModelError(FILE, `the checkpoint does not hold variable "${name}"`)
    const variable: Variable = {
      kind: 'variable',
      name: name ?? key,
      dtype: dtypeOf(dtype ?? 0),
      value: await this.saved.checkpoint.read(key),
    }
    return handle(variable)
  }
}
