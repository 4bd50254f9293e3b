import { CorruptModelError } from '../errors.ts'
import {
  constant,
  constantOf,
  type Files,
  type Graph,
  type Node,
  type OpTable,
  Program,
  type Resource,
  type Value,
} from '../graph/index.ts'
import { prune, rewrite } from '../graph/rewrite.ts'
import type { Checkpoint } from '../savedmodel/index.ts'
import { Strings, type Tensor, tensor } from '../tensor/index.ts'
import type { Builder } from './builder.ts'

type Saver = { readonly filenameTensorName?: string | null; readonly restoreOpName?: string | null }

const FILE = 'saved_model.pb'

/**
 * Gives `wanted` variables and tables their values from the checkpoint by running the export's own restore op, the way
 * TensorFlow's C++ loader does (cc/saved_model/loader.cc, RunRestore): so names, partitions and tables need no rules
 * here. Only what `wanted` needs is read.
 *
 * @throws {CorruptModelError} where the checkpoint lacks what the restore op asks for
 */
export async function restore(
  builder: Builder,
  saver: Saver | null,
  checkpoint: Checkpoint | null,
  wanted: ReadonlySet<Resource>,
  ops: OpTable,
): Promise<void> {
  const target = (saver?.restoreOpName ?? '').replace(/^\^/, '')
  if (wanted.size === 0 || checkpoint === null || target === '' || !builder.has(target)) return
  const feeds = new Map<string, { value: Tensor }>()
  if (saver?.filenameTensorName) {
    feeds.set(saver.filenameTensorName, { value: tensor('string', [], Strings.from(['variables/variables'])) })
  }
  const whole = builder.build([], [target], feeds)
  const graph = await readInto(onlyFor(whole, wanted, ops), checkpoint, ops)
  new Program(graph, ops).run([])
}

/** The part of `graph` that gives `wanted` resources their contents. */
export function onlyFor(graph: Graph, wanted: ReadonlySet<Resource>, ops: OpTable): Graph {
  const skipped = new Set(
    graph.nodes.filter(
      (node) => ops.get(node.op)?.effect && !node.inputs.some((value) => wanted.has(resourceOf(value) as Resource)),
    ),
  )
  return prune({ ...graph, nodes: graph.nodes.filter((node) => !skipped.has(node)) }, ops)
}

/** The variable or table that `value` is the constant handle of, or null. */
export function resourceOf(value: Value): Resource | null {
  const held = constantOf(value)
  return held?.dtype === 'resource' ? (held.data[0] as Resource) : null
}

/** `graph` with the RestoreV2 nodes' outputs read from the checkpoint: reading is asynchronous, ops are not. */
async function readInto(graph: Graph, checkpoint: Checkpoint, ops: OpTable): Promise<Graph> {
  const read = new Map<Node, Map<number, Node>>()
  for (const node of graph.nodes) if (node.op === 'RestoreV2') read.set(node, new Map())
  const asked = new Map<Node, Asked>()
  const used = [...graph.nodes.flatMap((node) => node.inputs), ...graph.outputs].filter((value) => read.has(value.node))
  for (const { node, index } of used) {
    const outputs = read.get(node) as Map<number, Node>
    if (outputs.has(index)) continue
    // One node restores all variables, thousands of them.
    const { names, slices } = asked.get(node) ?? askedBy(node, graph, ops)
    asked.set(node, { names, slices })
    if (index >= names.length)
      throw new CorruptModelError(
        FILE,
        `node "${node.name}" (RestoreV2) restores ${names.length} tensors, not ${index + 1}`,
      )
    const [key, spec] = [names.text(index), slices.text(index)]
    const content = spec === '' ? await checkpoint.read(key) : await checkpoint.readSlice(key, spec)
    outputs.set(index, constant(key, content))
  }
  return rewrite(graph, (node, { emit }) => {
    const outputs = read.get(node)
    if (outputs === undefined) return null
    const values: Value[] = []
    for (const [index, content] of outputs) values[index] = { node: emit(content), index: 0 }
    return values
  })
}

/** The names of what a RestoreV2 restores, and which part of each. */
interface Asked {
  readonly names: Strings
  readonly slices: Strings
}

function askedBy(node: Node, graph: Graph, ops: OpTable): Asked {
  const values = node.inputs.slice(1)
  const [names, slices] = values.length === 2 ? evaluated(graph, values, ops) : []
  if (names?.dtype === 'string' && slices?.dtype === 'string' && names.data.length === slices.data.length)
    return { names: names.data, slices: slices.data }
  throw new CorruptModelError(FILE, `node "${node.name}" (RestoreV2) does not name what it restores`)
}

/** The tensors that `values` are, which depend on constants alone. */
function evaluated(graph: Graph, values: readonly Value[], ops: OpTable, files?: Files): Tensor[] {
  const part = prune(
    { parameters: [], nodes: graph.nodes.filter((node) => !ops.get(node.op)?.effect), outputs: values },
    ops,
  )
  return new Program(part, ops).run([], files)
}
