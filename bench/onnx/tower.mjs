import { bytes, integer, join, message } from './protobuf.mjs'

// Fields of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), those that a tower needs.
const MODEL = { irVersion: 1, graph: 7, opsetImport: 8 }
const OPSET = { version: 2 }
const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12 }
const NODE = { input: 1, output: 2, name: 3, opType: 4 }
const TENSOR = { dims: 1, dataType: 2, name: 8, rawData: 9 }
const VALUE = { name: 1, type: 2 }
const TYPE = { tensor: 1 }
const TENSOR_TYPE = { elemType: 1, shape: 2 }
const SHAPE = { dim: 1 }
const DIM = { value: 1, parameter: 2 }
const FLOAT = 1

/** An ONNX file of the tower: Gemm with its bias a layer, Relu between them; `x` [batch, width] in, `embedding` out. */
export function towerModel({ name, width, layers }) {
  const parts = []
  let value = 'x'
  for (const [i, { k, n, weights, bias, relu }] of layers.entries()) {
    parts.push(tensor(`w${i}`, [k, n], weights), tensor(`b${i}`, [n], bias))
    const last = i === layers.length - 1
    const out = last && !relu ? 'embedding' : `y${i}`
    parts.push(node('Gemm', [value, `w${i}`, `b${i}`], out))
    value = out
    if (relu) {
      value = last ? 'embedding' : `r${i}`
      parts.push(node('Relu', [out], value))
    }
  }
  const ends = [matrix(GRAPH.input, 'x', width), matrix(GRAPH.output, 'embedding', layers.at(-1).n)]
  return join(
    integer(MODEL.irVersion, 8),
    message(MODEL.opsetImport, integer(OPSET.version, 17)),
    message(MODEL.graph, bytes(GRAPH.name, name), ...parts, ...ends),
  )
}

const node = (type, inputs, output) =>
  message(
    GRAPH.node,
    ...inputs.map((input) => bytes(NODE.input, input)),
    bytes(NODE.output, output),
    bytes(NODE.name, output),
    bytes(NODE.opType, type),
  )

const tensor = (name, dims, data) =>
  message(
    GRAPH.initializer,
    ...dims.map((dim) => integer(TENSOR.dims, dim)),
    integer(TENSOR.dataType, FLOAT),
    bytes(TENSOR.name, name),
    bytes(TENSOR.rawData, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  )

/** An input or output of float32[batch, width]. */
const matrix = (field, name, width) =>
  message(
    field,
    bytes(VALUE.name, name),
    message(
      VALUE.type,
      message(
        TYPE.tensor,
        integer(TENSOR_TYPE.elemType, FLOAT),
        message(
          TENSOR_TYPE.shape,
          message(SHAPE.dim, bytes(DIM.parameter, 'batch')),
          message(SHAPE.dim, integer(DIM.value, width)),
        ),
      ),
    ),
  )
