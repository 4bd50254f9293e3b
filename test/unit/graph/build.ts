import {
  type Attr,
  Attrs,
  constant,
  type Node,
  type Port,
  type Signature,
  type Value,
} from '../../../src/graph/index.ts'
import { type Tensor, tensor } from '../../../src/tensor/index.ts'

// Graphs by hand: `op('Sum', [op('Mul', [query, candidate]), ints(1)])`.

let made = 0

export const op = (name: string, inputs: readonly Value[], attrs: Readonly<Record<string, Attr>> = {}): Value => ({
  node: { name: `${name}_${made++}`, op: name, attrs: new Attrs(attrs), inputs, controls: [] },
  index: 0,
})
export const input = (name: string): Value => ({ ...op('Parameter', []), node: { ...op('Parameter', []).node, name } })
export const held = (value: Tensor): Value => ({ node: constant(`constant_${made++}`, value), index: 0 })
export const float = (value: number): Value => held(tensor('float32', [], Float32Array.of(value)))
export const floats = (shape: readonly number[], ...data: number[]): Value =>
  held(tensor('float32', shape, Float32Array.from(data)))
/** A scalar of one, a vector of several. */
export const ints = (...data: number[]): Value =>
  held(tensor('int32', data.length === 1 ? [] : [data.length], Int32Array.from(data)))

/** A signature of `inputs` and named outputs; an output's shape is [null] unless it is given. */
export function signature(
  name: string,
  inputs: readonly Value[],
  outputs: Readonly<Record<string, Value | readonly [Value, Port['shape']]>>,
): Signature {
  const ends = Object.entries(outputs).map(([name, end]) => {
    const [value, shape] = 'node' in end ? [end, [null]] : end
    return { value, port: { name, dtype: 'float32' as const, shape } }
  })
  const nodes = new Set<Node>()
  const visit = (node: Node): void => {
    if (nodes.has(node)) return
    for (const { node: source } of node.inputs) visit(source)
    nodes.add(node)
  }
  for (const { node } of inputs) visit(node)
  for (const { value } of ends) visit(value.node)
  return {
    name,
    method: '',
    inputs: inputs.map(({ node }) => ({ name: node.name, dtype: 'float32', shape: [null, 3] })),
    outputs: ends.map(({ port }) => port),
    graph: { parameters: inputs.map(({ node }) => node), nodes: [...nodes], outputs: ends.map(({ value }) => value) },
  }
}
