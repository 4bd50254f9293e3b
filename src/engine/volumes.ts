import { Attrs, type Call, constantOf, type Graph } from '../graph/index.ts'
import { windowsOfConv3D } from '../ops/volumes.ts'
import type { Tensor } from '../tensor/index.ts'
import type { Kernels } from './kernels.ts'
import type { Memory } from './memory.ts'
import type { Place } from './place.ts'
import { conv2D } from './windows.ts'

// Convolutions over volumes as such over images: the planes that a window covers are laid side by side as channels of one image.

/** Of weights [planes × area × channels in × channels out] those [area × planes × channels in × channels out]. */
function turned(weights: Float32Array, planes: number, area: number): Float32Array {
  const filter = new Float32Array(weights.length)
  const run = weights.length / (planes * area)
  for (let p = 0; p < planes; p++)
    for (let a = 0; a < area; a++)
      filter.set(weights.subarray((p * area + a) * run, (p * area + a + 1) * run), (a * planes + p) * run)
  return filter
}

/** Filters of the graphs, which do not change, with what `turned` makes of them once it has. */
type Constants = Map<Float32Array, Float32Array | null>

/** Null for another type than float32, and where there is no room; what TensorFlow refuses is refused. */
function conv3D(call: Call, constants: Constants, memory: Memory, kernels: Kernels): Tensor | null {
  const [x, filter] = call.inputs
  if (x.dtype !== 'float32' || filter.dtype !== 'float32') return null
  const [planes, rows, columns] = windowsOfConv3D(call)
  const [batch, deep, height, width, depth] = x.shape
  const [channels] = filter.shape.slice(4)
  const images = batch * planes.count
  if (images * rows.count * columns.count === 0) return null
  const side = planes.size * depth
  const laid = memory.room(images * height * width * side)
  if (laid === null) return null
  const pixels = height * width
  for (let image = 0; image < images; image++) {
    const b = Math.floor(image / planes.count)
    const first = planes.start + (image % planes.count) * planes.stride
    for (let p = 0; p < planes.size; p++) {
      const z = first + p
      const isCovered = z >= 0 && z < deep
      let [from, to] = [(b * deep + z) * pixels * depth, image * pixels * side + p * depth]
      for (let pixel = 0; pixel < pixels; pixel++, to += side) {
        for (let c = 0; c < depth; c++) laid[to + c] = isCovered ? x.data[from++] : 0
      }
    }
  }
  const weights = constants.get(filter.data) ?? turned(filter.data, planes.size, rows.size * columns.size)
  if (constants.has(filter.data)) constants.set(filter.data, weights)
  const strides = [1, rows.stride, columns.stride, 1]
  const answer = conv2D(
    {
      ...call,
      attrs: new Attrs({ strides, padding: call.attrs.string('padding') }),
      inputs: [
        { dtype: 'float32', shape: [images, height, width, side], data: laid },
        { dtype: 'float32', shape: [rows.size, columns.size, side, channels], data: weights },
      ],
    },
    null,
    memory,
    kernels,
  )
  if (answer === null) return null
  return { ...answer, shape: [batch, planes.count, rows.count, columns.count, channels] } as Tensor
}

/** Puts the kernels in place of the ops. */
export function bind(
  place: Place,
  memory: Memory,
  kernels: Kernels,
  _smallest: number,
  graphs: readonly Graph[],
): void {
  const constants: Constants = new Map()
  for (const { op, inputs } of graphs.flatMap(({ nodes }) => nodes)) {
    const filter = op === 'Conv3D' ? constantOf(inputs[1]) : null
    if (filter?.dtype === 'float32') constants.set(filter.data, null)
  }
  place('Conv3D', (call) => conv3D(call, constants, memory, kernels))
}
