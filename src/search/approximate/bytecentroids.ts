import type { Pointer } from '../../engine/kernels.ts'
import { aligned } from '../../engine/linear.ts'
import type { Workspace } from './workspace.ts'

const [LARGEST_BYTE, LARGEST_SHORT] = [127, 32_766]

/**
 * Centroids as bytes, for their products with one query after the other: a quarter of what floats would be to read, for
 * GloVe's 2,336 of 100 numbers 0.23 MB. What the bytes lose is a hundredth of what the codes of the items lose; the
 * centroids' mean is taken away first, so that they hold the differences.
 */
export class ByteCentroids {
  private readonly workspace: Workspace
  private readonly count: number
  private readonly stride: number
  /** The largest number that a query is rounded to, so that no sum leaves 32 bits. */
  private readonly most: number
  private readonly mean: Float64Array
  private readonly items: Pointer
  private readonly scales: Pointer
  /** What is taken from each product. */
  private readonly less: Pointer
  private readonly query: Pointer

  /**
   * @param centroids `float32[count, width]`
   * @param added what each product has added, `float32[count]`
   */
  constructor(workspace: Workspace, centroids: Float32Array, width: number, added: Float32Array) {
    const count = added.length
    const stride = aligned(width, 16)
    const mean = new Float64Array(width)
    for (let at = 0; at < centroids.length; at++) mean[at % width] += centroids[at] / count
    const padded = aligned(count, 4)
    const items = new Int8Array(padded * stride)
    const scales = new Float32Array(padded)
    for (let leaf = 0; leaf < count; leaf++) {
      const rest = mean.map((value, i) => centroids[leaf * width + i] - value)
      const scale = rest.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / LARGEST_BYTE
      scales[leaf] = scale
      if (scale > 0) for (let i = 0; i < width; i++) items[leaf * stride + i] = Math.round(rest[i] / scale)
    }
    const less = new Float32Array(padded)
    less.set(added.map((more) => -more))
    this.workspace = workspace
    this.count = padded
    this.stride = stride
    this.most = Math.min(LARGEST_SHORT, Math.floor(2 ** 31 / ((LARGEST_BYTE + 1) * stride)) - 2)
    this.mean = mean
    this.items = workspace.put(items)
    this.scales = workspace.put(scales)
    this.less = workspace.put(less)
    this.query = workspace.room(2 * stride)
  }

  /** Writes the products with `query`, which are all finite, to `out` (f32, a multiple of 4); returns what each is more than that. */
  score(out: Pointer, query: Float32Array): number {
    const { workspace, mean, most, stride } = this
    let [largest, base] = [0, 0]
    for (let i = 0; i < query.length; i++) {
      largest = Math.max(largest, Math.abs(query[i]))
      base += mean[i] * query[i]
    }
    const scale = largest > 0 ? largest / most : 1
    const asked = workspace.shorts(this.query, stride).fill(0)
    for (let i = 0; i < query.length; i++) asked[i] = Math.round(query[i] / scale)
    workspace.kernels.scanBytes(
      ...([out, this.query, this.items, this.scales, this.less, 0] as const),
      ...([this.count, stride, scale, 0] as const),
    )
    return base
  }
}
