import type { Graph, Node, Op, Value } from '../graph/index.ts'
import { sizeOf, type Tensor } from '../tensor/index.ts'
import { bucketize, bucketsStage, hash, lookup, rows } from './lookups.ts'
import type { Recording, Seen } from './record.ts'
import { numbersOf, type Stage, sameList, scalarsOf, vectorOf } from './stage.ts'
import { standardised } from './standardised.ts'
import { POOLING, WORDS } from './words.ts'

/** A stage and the stages before it, by their places in the list; none for one that takes the raw value. */
export type Followed = Stage & { readonly after: readonly number[] }

/** Where layers begin that mix a value's numbers: what they give is no longer the value. */
const LAYER = /^twotower>Dense|MatMul|Einsum|Conv2D/
/** Ops that say something of a value and do not hand it on. */
const ASIDE =
  /^(Shape|ShapeN|Size|Rank|Equal|NotEqual|Less|LessEqual|Greater|GreaterEqual|LogicalNot|Where|ZerosLike|OnesLike|IsNan|StringLength|RegexFullMatch|StaticRegexFullMatch)$/
/** Outputs that say where a value's parts lie, and how many there are. */
const PLACES = /split|length|offset|start|limit|end_|indices|shape|rowid|indicator|reverse|idx|count/
/** Over ids, how many or how large they are: sizes of what comes. */
const SIZE = /^(Max|Min|Sum|Prod|All|Any)$/

/** A value on its way: the last stages that it came through, and whether embedding rows stand for it by now. */
interface Carried {
  readonly after: readonly number[]
  readonly embedded: boolean
}

/**
 * What happens to input `input` of a graph that was recorded, through the nodes that depend on nothing else, up to the
 * layers and the nodes that bring inputs together. What leads nowhere is left out.
 * @param depends for every node the inputs that it depends on
 */
export function follow(
  graph: Graph,
  depends: ReadonlyMap<Node, ReadonlySet<number>>,
  { nodes, ops }: Recording,
  input: number,
): Followed[] {
  const stages: Followed[] = []
  const known = new Map<string, number>()
  const carried = new Map<Node, readonly (Carried | undefined)[]>([
    [graph.parameters[input], [{ after: [], embedded: false }]],
  ])
  const arrived = new Set<number>()
  const arrive = ({ node, index }: Value) => {
    for (const i of carried.get(node)?.[index]?.after ?? []) arrived.add(i)
  }
  for (const node of graph.nodes) {
    const seen = nodes.get(node)
    if (seen === undefined || carried.has(node) || ASIDE.test(node.op)) continue
    const on = depends.get(node)
    if (on?.size !== 1 || !on.has(input) || LAYER.test(node.op)) {
      node.inputs.forEach(arrive)
      continue
    }
    const at = node.inputs.map(({ node, index }) => carried.get(node)?.[index])
    const from = chosen(node, seen, at, stages)
    if (from.length === 0) continue
    const content = at.indexOf(from[0])
    const embedded = from.some((item) => item.embedded)
    if (!embedded && SIZE.test(node.op) && seen.outputs[0]?.dtype !== 'float32') continue
    const outputs = outputsOf(ops.get(node.op), node, seen)
    let after: readonly number[] = [...new Set(from.flatMap((item) => item.after))]
    const made = stagesOf({ seen, node, content, embedded, outputs })
    for (const stage of made) {
      // Layers that begin alike tell it once.
      const same = JSON.stringify([stage, after], (_, value) => (typeof value === 'bigint' ? `${value}n` : value))
      const place = known.get(same) ?? stages.push({ ...stage, after }) - 1
      known.set(same, place)
      after = [place]
    }
    const now = { after, embedded: embedded || made.some(({ kind }) => kind === 'rows') }
    const parsed = parsedFeatures(node, seen)
    carried.set(
      node,
      seen.outputs.map((t, i) => {
        if (t === undefined || !outputs.includes(i)) return undefined
        if (parsed[i] === undefined) return now
        const words = `feature ${JSON.stringify(parsed[i])}`
        return { after: [stages.push({ kind: 'values', words, values: scalarsOf(t), after }) - 1], embedded: false }
      }),
    )
  }
  graph.outputs.forEach(arrive)
  return arriving(stages, arrived)
}

/** The stages that lead to one of `arrived`, in their order. */
function arriving(stages: readonly Followed[], arrived: Set<number>): Followed[] {
  for (const i of arrived) for (const before of stages[i].after) arrived.add(before)
  const places = [...arrived].sort((a, b) => a - b)
  return places.map((i) => ({ ...stages[i], after: stages[i].after.map((before) => places.indexOf(before)) }))
}

/**
 * The inputs that the value came through: those that hold something, and of a choice the one that was taken throughout,
 * with those that say why: what was not in a vocabulary.
 */
function chosen(
  node: Node,
  { inputs, outputs }: Seen,
  at: readonly (Carried | undefined)[],
  stages: readonly Stage[],
): Carried[] {
  const holding = at.flatMap((item, i) => (item !== undefined && sizeOf(inputs[i].shape) > 0 ? [i] : []))
  const kept = holding.length > 0 ? holding : at.flatMap((item, i) => (item !== undefined ? [i] : []))
  if (node.op === 'SelectV2' || node.op === 'Select') {
    const out = outputs[0] === undefined ? [] : scalarsOf(outputs[0])
    const taken = kept.find((i) => sameList(scalarsOf(inputs[i]), out))
    if (taken !== undefined) {
      const why = kept.filter((i) => i !== taken && lacks(at[i], stages))
      return [...why, taken].flatMap((i) => at[i] ?? [])
    }
  }
  return kept.flatMap((i) => at[i] ?? [])
}

/** True where a value comes straight from a vocabulary that did not hold all of it. */
const lacks = (item: Carried | undefined, stages: readonly Stage[]): boolean =>
  item?.after.some((i) => {
    const stage = stages[i]
    return stage.kind === 'lookup' && stage.entries.some(({ found }) => !found)
  }) ?? false

/** The outputs of a node that hold the value: not flags, nor the places of its parts. */
function outputsOf(op: Op | undefined, node: Node, { outputs }: Seen): number[] {
  const { outputs: named = [] } = op ?? {}
  const names =
    typeof named === 'function'
      ? named(node.attrs).flatMap(([name, count]) => new Array<string>(count).fill(name))
      : named
  return outputs.flatMap((t, i) => (t === undefined || t.dtype === 'bool' || PLACES.test(names[i] ?? '') ? [] : [i]))
}

/** Of a tf.Example that is parsed, the feature that each output holds. */
function parsedFeatures(node: Node, { inputs }: Seen): readonly (string | undefined)[] {
  const [sparse, dense, ragged] = keysOf(node, inputs)
  const none = new Array<undefined>(sparse.length).fill(undefined)
  return [...none, ...sparse, ...none, ...dense, ...ragged]
}

/** Which features a parser reads: ParseExampleV2 takes a list of keys of each kind, ParseExample an input a key. */
function keysOf({ op, attrs }: Node, inputs: readonly Tensor[]): readonly [string[], string[], string[]] {
  const names = (tensors: readonly Tensor[]) => tensors.flatMap((keys) => scalarsOf(keys).map(String))
  if (op === 'ParseExampleV2') return [names(inputs.slice(2, 3)), names(inputs.slice(3, 4)), names(inputs.slice(4, 5))]
  if (op !== 'ParseExample') return [[], [], []]
  const [sparse, dense] = [attrs.number('Nsparse'), attrs.number('Ndense')]
  return [names(inputs.slice(2, 2 + sparse)), names(inputs.slice(2 + sparse, 2 + sparse + dense)), []]
}

interface Passage {
  readonly seen: Seen
  readonly node: Node
  /** Which input of the node holds the value. */
  readonly content: number
  readonly embedded: boolean
  readonly outputs: readonly number[]
}

/** What a node does, as far as it is worth telling. */
function stagesOf(passage: Passage): Stage[] {
  const { seen, node, content, embedded } = passage
  switch (node.op) {
    case 'LookupTableFind':
    case 'LookupTableFindV2':
      return listed(lookup(seen))
    case 'twotower>WordIds':
      return standardised(seen, node)
    case 'StringToHashBucket':
    case 'StringToHashBucketFast':
    case 'StringToHashBucketStrong':
      return [hash(seen, node)]
    case 'Bucketize':
      return [bucketize(seen, node)]
    case 'UpperBound':
    case 'LowerBound':
      return content === 1
        ? [bucketsStage(scalarsOf(seen.inputs[1]), numbersOf(seen.outputs[0]), numbersOf(seen.inputs[0]))]
        : []
    case 'Gather':
    case 'GatherV2':
    case 'ResourceGather':
      return content === 1 ? listed(rows(tableOf(seen.inputs[0]), seen.inputs[1], nameOf(node), () => true)) : []
    case 'twotower>PoolRows': {
      const mask = seen.inputs[2] === undefined ? null : numbersOf(seen.inputs[2])
      const looked = rows(seen.inputs[0], seen.inputs[1], nameOf(node), (i) => mask === null || mask[i] !== 0)
      return [...listed(looked), ...pooled(passage)]
    }
    case 'FastWordpieceTokenizeWithOffsets':
      return seen.outputs
        .slice(0, 2)
        .flatMap((out, i) =>
          out === undefined
            ? []
            : { kind: 'values', words: i === 0 ? 'word pieces' : 'their ids', values: scalarsOf(out) },
        )
    default:
      return embedded ? pooled(passage) : valuesOf(passage)
  }
}

const listed = <T>(item: T | null): T[] => (item === null ? [] : [item])

/** The table's name: that of the variable, without what packing and caching put around it. */
const nameOf = (node: Node): string => node.inputs[0].node.name

const tableOf = (held: Tensor): Tensor => {
  const variable = held.dtype === 'resource' ? (held.data[0] as { readonly value?: Tensor | null }) : undefined
  return variable?.value ?? held
}

function pooled({ seen, node, content }: Passage): Stage[] {
  const words = POOLING[node.op]?.(seen, node, content)
  const [out] = seen.outputs
  if (words === undefined || out?.dtype !== 'float32') return []
  // A sum over each row's own numbers is part of a normalisation, no vector; a choice that keeps its input does nothing.
  const nothing = node.op.startsWith('Select')
    ? sameList(scalarsOf(seen.inputs[content]), scalarsOf(out))
    : out.data.length < 2
  if (nothing) return []
  return [{ kind: 'vector', words, ...vectorOf(out.data) }]
}

/** Text or numbers after an op that has a word for what it does and did it. */
function valuesOf({ seen, node, content, outputs }: Passage): Stage[] {
  const words = WORDS[node.op]?.(seen, node, content)
  if (words === undefined) return []
  const before = scalarsOf(seen.inputs[content])
  return outputs.flatMap((i): Stage[] => {
    const out = seen.outputs[i]
    const values = out === undefined ? [] : scalarsOf(out)
    return sameList(values, before) ? [] : [{ kind: 'values', words, values }]
  })
}
