import {
  Attrs,
  constant,
  constantOf,
  type Graph,
  type Node,
  PARAMETER,
  type Signature,
  type TowerDefinition,
  type Value,
} from '../graph/index.ts'
import { rewrite } from '../graph/rewrite.ts'
import { type DType, Strings, tensor } from '../tensor/index.ts'

// A graph whose one input is a serialized tf.Example has its real inputs, the features, behind the op that parses it. Towers
// are looked for in the graph with an Example of its own for each feature, and take one Example with theirs.

/** One feature that a parser reads. */
interface ParsedFeature {
  readonly name: string
  readonly dtype: DType
  /** The parser's outputs that hold it. */
  readonly outputs: readonly number[]
  /** A parser of this feature alone. */
  alone(name: string, serialized: Value): Node
}

/** The parser that alone reads input `parameter` of a graph, or null. */
function parserOf({ nodes }: Graph, parameter: Node): Node | null {
  const readers = nodes.filter(({ inputs }) => inputs.some(({ node }) => node === parameter))
  const [parser] = readers
  const plain = readers.length === 1 && parser.inputs.slice(1).every(({ node }) => node !== parameter)
  return plain && (parser.op === 'ParseExampleV2' || parser.op === 'ParseExample') ? parser : null
}

/** What a parser reads; null where its keys are no constants, or it reads ragged features. */
function featuresOf(parser: Node): readonly ParsedFeature[] | null {
  const { attrs, op } = parser
  const version2 = op === 'ParseExampleV2'
  const [sparseTypes, denseTypes] = [attrs.dtypes('sparse_types'), attrs.dtypes('Tdense')]
  const [sparse, dense] = [sparseTypes.length, denseTypes.length]
  const keys = version2 ? parser.inputs.slice(2, 5) : parser.inputs.slice(2, 2 + sparse + dense)
  const names = keys.map(textsOf)
  if (names.some((list) => list === null) || (version2 && names[2]?.length !== 0)) return null
  const all = names.flatMap((list) => list ?? [])
  const defaults = parser.inputs.slice(version2 ? 5 : 2 + sparse + dense)
  const shapes = attrs.shapes('dense_shapes')
  const build = (name: string, serialized: Value, at: number): Node => {
    const isSparse = at < sparse
    const key = (kind: string, held: boolean): Value[] =>
      version2 ? [vector(`${name}/${kind}_keys`, held ? [all[at]] : [])] : held ? [keys[at]] : []
    return {
      name,
      op,
      attrs: new Attrs({
        ...Object.fromEntries(attrs.entries()),
        sparse_types: isSparse ? [sparseTypes[at]] : [],
        Tdense: isSparse ? [] : [denseTypes[at - sparse]],
        dense_shapes: isSparse ? [] : [{ shape: shapes[at - sparse] }],
        ...(version2 ? { num_sparse: isSparse ? 1 : 0 } : { Nsparse: isSparse ? 1 : 0, Ndense: isSparse ? 0 : 1 }),
      }),
      inputs: [
        serialized,
        parser.inputs[1],
        ...key('sparse', isSparse),
        ...key('dense', !isSparse),
        ...(version2 ? [parser.inputs[4]] : []),
        ...(isSparse ? [] : [defaults[at - sparse]]),
      ],
      controls: parser.controls,
    }
  }
  return all.map((name, at) => ({
    name,
    dtype: at < sparse ? sparseTypes[at] : denseTypes[at - sparse],
    outputs: at < sparse ? [at, sparse + at, 2 * sparse + at] : [2 * sparse + at],
    alone: (called, serialized) => build(called, serialized, at),
  }))
}

const textsOf = (value: Value): string[] | null => {
  const held = constantOf(value)
  if (held?.dtype !== 'string') return null
  return Array.from({ length: held.data.length }, (_, i) => (held.data as Strings).text(i))
}

const vector = (name: string, texts: readonly string[]): Value => ({
  node: constant(name, tensor('string', [texts.length], Strings.from(texts))),
  index: 0,
})

/** The parser of a signature's only input, with what it reads. */
function parsed({ inputs, graph }: Signature): { parser: Node; features: readonly ParsedFeature[] } | null {
  const parser = inputs.length === 1 && inputs[0].dtype === 'string' ? parserOf(graph, graph.parameters[0]) : null
  const features = parser && featuresOf(parser)
  return parser === null || features === null ? null : { parser, features }
}

/** The signature with the features named that its input, a serialized tf.Example, is read for. */
export function withFeatures(signature: Signature): Signature {
  const found = parsed(signature)
  if (found === null) return signature
  const features = Object.fromEntries(found.features.map(({ name, dtype }) => [name, dtype]))
  return { ...signature, inputs: [{ ...signature.inputs[0], features }] }
}

/** The signature with an Example of its own for each feature of its one Example; itself where it has none. */
export function apart(signature: Signature): Signature {
  const found = parsed(signature)
  if (found === null) return signature
  const parameters = found.features.map(
    ({ name }): Node => ({ name, op: PARAMETER, attrs: Attrs.none, inputs: [], controls: [] }),
  )
  const graph = rewrite(signature.graph, (node, { emit }) => {
    if (node.op !== found.parser.op || node.name !== found.parser.name) return null
    const values: Value[] = []
    found.features.forEach((feature, i) => {
      const serialized = { node: emit(parameters[i]), index: 0 }
      const parser = feature.alone(`${node.name}/${feature.name}`, serialized)
      for (const input of parser.inputs) emit(input.node)
      emit(parser)
      feature.outputs.forEach((output, index) => {
        values[output] = { node: parser, index }
      })
    })
    return values
  })
  const [port] = signature.inputs
  const inputs = found.features.map(({ name, dtype }) => ({ ...port, name, features: { [name]: dtype } }))
  return { ...signature, inputs, graph: { ...graph, parameters } }
}

/** A tower of the signature as `apart` has it, with one Example for all its features. */
export function together(tower: TowerDefinition, signatures: readonly Signature[]): TowerDefinition {
  const signature = signatures.find(({ name }) => name === tower.signature)
  if (signature === undefined || parsed(signature) === null) return tower
  const [port] = signature.inputs
  const [parameter] = signature.graph.parameters
  const own = new Set(tower.graph.parameters)
  const graph = rewrite(tower.graph, (_, { old, emit }) =>
    own.has(old) ? [{ node: emit(parameter), index: 0 }] : null,
  )
  const features = Object.assign({}, ...tower.inputs.map((input) => input.features ?? {})) as Record<string, DType>
  return { ...tower, inputs: [{ ...port, features }], graph: { ...graph, parameters: [parameter] } }
}
