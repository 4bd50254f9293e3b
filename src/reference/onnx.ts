import protobuf, { type Writer } from 'protobufjs/minimal.js'
import { CONST, constantOf, type Graph, type Node, type Value } from '../graph/index.ts'
import { type Tensor, unpackPanels } from '../tensor/index.ts'

// Dense layers as an ONNX file, for ONNX Runtime to be held against: float32, what a tower has after its preprocessing.
// Operators are those of opset 17, https://github.com/onnx/onnx/blob/rel-1.12.0/docs/Operators.md

/** True where `node` can be written: an op of layers, and what it takes as a constant is one. */
export function isWritable(node: Node): boolean {
  const entry = Object.hasOwn(OPS, node.op) ? OPS[node.op] : undefined
  if (entry === undefined || node.controls.length > 0) return false
  const { lists = 0, fits = () => true } = entry
  const numbers = node.inputs.slice(0, node.inputs.length - lists)
  const constants = node.inputs.slice(numbers.length).map(constantOf)
  return (
    constants.every((held) => held?.dtype === 'int32' || held?.dtype === 'int64') &&
    numbers.every((value) => (constantOf(value) ?? FLOAT).dtype === 'float32') &&
    fits(node)
  )
}

const FLOAT = { dtype: 'float32' } as const

/** An op of TensorFlow's, or one that lower/ makes, by ONNX's operators. */
interface Entry {
  /** How many of its last inputs are constant integers: axes. */
  readonly lists?: number
  readonly fits?: (node: Node) => boolean
  /** @returns the name of what it computes */
  readonly write: (file: OnnxGraph, inputs: readonly string[], node: Node) => string
}

const same =
  (operator: string): Entry['write'] =>
  (file, inputs) =>
    file.add(operator, inputs)

const axes = ({ inputs }: Node): number[] =>
  Array.from((constantOf(inputs[inputs.length - 1]) as Tensor).data as ArrayLike<number | bigint>, Number)

const activation = (file: OnnxGraph, x: string, op: string, alpha: number): string => {
  switch (op) {
    case '':
      return x
    case 'Relu6':
      return file.add('Clip', [x, file.number(0), file.number(6)])
    case 'LeakyRelu':
      return file.add('LeakyRelu', [x], { alpha })
    default:
      return file.add(op, [x])
  }
}

const activated = (op: string): Entry => ({
  write: (file, [x], { attrs }) => activation(file, x, op, attrs.number('alpha', 0.2)),
})

const OPS: Readonly<Record<string, Entry>> = {
  'twotower>Dense': {
    fits: ({ inputs }) => constantOf(inputs[1]) !== null && (inputs.length < 3 || constantOf(inputs[2]) !== null),
    write(file, [x], { inputs, attrs }) {
      const [k, n] = [attrs.number('k'), attrs.number('n')]
      const panels = constantOf(inputs[1]) as Tensor
      const terms = [x, file.constant([k, n], unpackPanels(panels.data as Float32Array, k, n))]
      if (inputs.length > 2) terms.push(file.constant([n], (constantOf(inputs[2]) as Tensor).data as Float32Array))
      return activation(file, file.add('Gemm', terms), attrs.string('activation', ''), attrs.number('alpha', 0))
    },
  },
  'twotower>L2Normalize': {
    write(file, [x], { attrs }) {
      const squares = file.add('ReduceSumSquare', [x], { axes: [-1], keepdims: 1 })
      const least = file.add('Max', [squares, file.number(attrs.number('epsilon'))])
      return file.add('Div', [x, file.add('Sqrt', [least])])
    },
  },
  'twotower>LayerNorm': {
    fits: ({ attrs }) => attrs.number('last') === -1 && attrs.number('first') === -1,
    write: (file, inputs, { attrs }) =>
      file.add('LayerNormalization', inputs, { axis: -1, epsilon: attrs.number('epsilon') }),
  },
  MatMul: {
    write: (file, inputs, { attrs }) =>
      file.add('Gemm', inputs, {
        transA: attrs.boolean('transpose_a', false) ? 1 : 0,
        transB: attrs.boolean('transpose_b', false) ? 1 : 0,
      }),
  },
  BiasAdd: { fits: ({ attrs }) => attrs.string('data_format', 'NHWC') === 'NHWC', write: same('Add') },
  Add: { write: same('Add') },
  AddV2: { write: same('Add') },
  Sub: { write: same('Sub') },
  Mul: { write: same('Mul') },
  Div: { write: same('Div') },
  RealDiv: { write: same('Div') },
  Maximum: { write: same('Max') },
  Minimum: { write: same('Min') },
  SquaredDifference: {
    write(file, inputs) {
      const apart = file.add('Sub', inputs)
      return file.add('Mul', [apart, apart])
    },
  },
  Relu: activated('Relu'),
  Relu6: activated('Relu6'),
  Elu: activated('Elu'),
  Selu: activated('Selu'),
  LeakyRelu: activated('LeakyRelu'),
  Sigmoid: activated('Sigmoid'),
  Tanh: activated('Tanh'),
  Softplus: activated('Softplus'),
  Softmax: { write: same('Softmax') },
  Exp: { write: same('Exp') },
  Log: { write: same('Log') },
  Sqrt: { write: same('Sqrt') },
  Rsqrt: { write: (file, [x]) => file.add('Reciprocal', [file.add('Sqrt', [x])]) },
  Square: { write: (file, [x]) => file.add('Mul', [x, x]) },
  Neg: { write: same('Neg') },
  Abs: { write: same('Abs') },
  Erf: { write: same('Erf') },
  Identity: { write: same('Identity') },
  Mean: {
    lists: 1,
    // Without axes ONNX would reduce them all.
    fits: (node) => axes(node).length > 0,
    write: (file, [x], node) =>
      file.add('ReduceMean', [x], { axes: axes(node), keepdims: node.attrs.boolean('keep_dims', false) ? 1 : 0 }),
  },
  ConcatV2: {
    lists: 1,
    write: (file, inputs, node) => file.add('Concat', inputs.slice(0, -1), { axis: axes(node)[0] }),
  },
}

/** The ops that can be written. */
export const WRITABLE: readonly string[] = Object.keys(OPS)

/**
 * An ONNX file of `graph`, whose nodes are all writable: inputs `x0`, `x1` …, of `ranks` dimensions, outputs `y0`, `y1` ….
 */
export function onnxFile(graph: Graph, ranks: readonly number[]): Uint8Array {
  const file = new OnnxGraph()
  const names = new Map<Node, string>()
  graph.parameters.forEach((node, i) => {
    names.set(node, file.input(`x${i}`, ranks[i]))
  })
  const nameOf = ({ node }: Value): string => {
    const known = names.get(node) ?? file.constantOf(node)
    names.set(node, known)
    return known
  }
  for (const node of graph.nodes) {
    if (node.op === CONST || names.has(node)) continue
    const { lists = 0, write } = OPS[node.op]
    const isPacked = (i: number) => node.op === 'twotower>Dense' && i > 0
    const numbers = node.inputs.length - lists
    names.set(
      node,
      write(
        file,
        node.inputs.map((value, i) => (i >= numbers || isPacked(i) ? '' : nameOf(value))),
        node,
      ),
    )
  }
  graph.outputs.forEach((value, i) => {
    file.output(`y${i}`, nameOf(value))
  })
  return file.finish()
}

// Fields of onnx.proto, https://github.com/onnx/onnx/blob/rel-1.12.0/onnx/onnx.proto
const MODEL = { irVersion: 1, graph: 7, opsetImport: 8 }
const OPSET = { version: 2 }
const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12 }
const NODE = { input: 1, output: 2, opType: 4, attribute: 5 }
const ATTRIBUTE = { name: 1, float: 2, integer: 3, integers: 8, type: 20 }
const ATTRIBUTE_TYPE = { float: 1, integer: 2, integers: 7 }
const TENSOR = { dims: 1, dataType: 2, name: 8, rawData: 9 }
const VALUE = { name: 1, type: 2 }
const TYPE = { tensor: 1 }
const TENSOR_TYPE = { elemType: 1, shape: 2 }
const SHAPE = { dim: 1 }
const DIM = { parameter: 2 }
const FLOAT32 = 1
const [VARINT, DELIMITED, FIXED32] = [0, 2, 5]

type Write = (writer: Writer) => void

const at = (writer: Writer, field: number, wire: number): Writer => writer.uint32((field << 3) | wire)
const integer = (writer: Writer, field: number, value: number): Writer => at(writer, field, VARINT).int64(value)
const text = (writer: Writer, field: number, value: string): Writer => at(writer, field, DELIMITED).string(value)

function message(writer: Writer, field: number, write: Write): void {
  at(writer, field, DELIMITED).fork()
  write(writer)
  writer.ldelim()
}

/** A GraphProto as it grows. */
class OnnxGraph {
  private readonly writer = protobuf.Writer.create()
  private count = 0

  /** A node of `operator`; its attributes are integers, lists of them, and the floats `alpha` and `epsilon`. */
  add(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, number | readonly number[]>> = {},
    output = `v${this.count++}`,
  ): string {
    message(this.writer, GRAPH.node, (node) => {
      for (const input of inputs) text(node, NODE.input, input)
      text(node, NODE.output, output)
      text(node, NODE.opType, operator)
      for (const [name, value] of Object.entries(attributes))
        message(node, NODE.attribute, (attribute) => writeAttribute(attribute, name, value))
    })
    return output
  }

  constant(dims: readonly number[], data: Float32Array): string {
    const name = `c${this.count++}`
    message(this.writer, GRAPH.initializer, (tensor) => {
      for (const dim of dims) integer(tensor, TENSOR.dims, dim)
      integer(tensor, TENSOR.dataType, FLOAT32)
      text(tensor, TENSOR.name, name)
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      at(tensor, TENSOR.rawData, DELIMITED).bytes(bytes)
    })
    return name
  }

  constantOf(node: Node): string {
    const { shape, data } = node.attrs.tensor('value')
    return this.constant(shape, data as Float32Array)
  }

  number(value: number): string {
    return this.constant([], Float32Array.of(value))
  }

  input(name: string, rank: number): string {
    this.end(GRAPH.input, name, rank)
    return name
  }

  output(name: string, value: string): void {
    this.add('Identity', [value], {}, name)
    this.end(GRAPH.output, name, null)
  }

  /** An input or output of float32, each of its dimensions open; without a rank not even that is said. */
  private end(field: number, name: string, rank: number | null): void {
    message(this.writer, field, (info) => {
      text(info, VALUE.name, name)
      message(info, VALUE.type, (type) =>
        message(type, TYPE.tensor, (tensor) => {
          integer(tensor, TENSOR_TYPE.elemType, FLOAT32)
          if (rank === null) return
          message(tensor, TENSOR_TYPE.shape, (shape) => {
            for (let axis = 0; axis < rank; axis++)
              message(shape, SHAPE.dim, (dim) => text(dim, DIM.parameter, `${name}_${axis}`))
          })
        }),
      )
    })
  }

  finish(): Uint8Array {
    text(this.writer, GRAPH.name, 'layers')
    const graph = this.writer.finish()
    const model = protobuf.Writer.create()
    integer(model, MODEL.irVersion, 8)
    message(model, MODEL.opsetImport, (opset) => integer(opset, OPSET.version, 17))
    return at(model, MODEL.graph, DELIMITED).bytes(graph).finish()
  }
}

function writeAttribute(writer: Writer, name: string, value: number | readonly number[]): void {
  text(writer, ATTRIBUTE.name, name)
  if (typeof value !== 'number') {
    for (const item of value) integer(writer, ATTRIBUTE.integers, item)
    integer(writer, ATTRIBUTE.type, ATTRIBUTE_TYPE.integers)
  } else if (name === 'alpha' || name === 'epsilon') {
    at(writer, ATTRIBUTE.float, FIXED32).float(value)
    integer(writer, ATTRIBUTE.type, ATTRIBUTE_TYPE.float)
  } else {
    integer(writer, ATTRIBUTE.integer, value)
    integer(writer, ATTRIBUTE.type, ATTRIBUTE_TYPE.integer)
  }
}
