import { ACTIVATIONS, type Pointer } from '../../engine/kernels.ts'
import { aligned } from '../../engine/linear.ts'
import { packPanels } from '../../tensor/panels.ts'
import { random } from './random.ts'
import { squaresOf } from './rows.ts'
import { Workspace } from './workspace.ts'

/** Rows that meet the centroids at once: their scores stay in the second cache. */
const BATCH = 64

/** Which centroid is the nearest, for many rows. */
export class Assigner {
  private readonly workspace: Workspace
  private readonly width: number
  private readonly leaves: number
  private readonly padded: number
  private readonly panels: Pointer
  private readonly bias: Pointer
  private readonly rows: Pointer
  private readonly scores: Pointer
  private readonly places: Pointer

  /** @param centroids `float32[leaves, width]` */
  constructor(module: WebAssembly.Module, centroids: Float32Array, width: number) {
    const workspace = new Workspace(module)
    this.workspace = workspace
    this.width = width
    this.leaves = centroids.length / width
    this.padded = aligned(this.leaves, 4)
    this.panels = workspace.room(4 * aligned(this.leaves, 16) * width)
    this.bias = workspace.room(4 * this.padded)
    this.rows = workspace.room(4 * BATCH * width)
    this.scores = workspace.room(4 * BATCH * this.padded)
    this.places = workspace.room(4 * BATCH)
    this.move(centroids)
  }

  move(centroids: Float32Array): void {
    const { workspace, width, leaves, padded } = this
    const panels = packPanels(transposed(centroids, width), width, leaves)
    workspace.floats(this.panels, panels.length).set(panels)
    const bias = workspace.floats(this.bias, padded).fill(-Infinity)
    bias.set(halfSquares(centroids, width).map((half) => -half))
  }

  /** The nearest centroid of each of `rows` (`float32[n, width]`), the first of equals, into `out`. */
  assign(rows: Float32Array, out: Uint32Array): void {
    const { workspace, width, padded } = this
    const { kernels } = workspace
    for (let start = 0; start < out.length; start += BATCH) {
      const count = Math.min(BATCH, out.length - start)
      workspace.floats(this.rows, count * width).set(rows.subarray(start * width, (start + count) * width))
      kernels.dense(this.scores, this.rows, this.panels, this.bias, count, width, padded, ACTIVATIONS.none, 0)
      kernels.rowArgMax(this.places, this.scores, count, padded)
      out.set(workspace.ints(this.places, count), start)
    }
  }
}

/**
 * Centroids of `sample` (`float32[n, width]`) by Lloyd's k-means, the same for the same seed: `float32[leaves, width]`. They
 * begin with different rows of the sample; one that nobody is nearest to takes a row of the largest leaf.
 */
export function trainCentroids(
  module: WebAssembly.Module,
  sample: Float32Array,
  width: number,
  { leaves, iterations, seed }: { leaves: number; iterations: number; seed: number },
): Float32Array {
  const rows = sample.length / width
  const centroids = sample.slice(0, leaves * width)
  const assigner = new Assigner(module, centroids, width)
  const [own, next] = [new Uint32Array(rows), random(seed)]
  for (let iteration = 0; iteration < iterations; iteration++) {
    assigner.assign(sample, own)
    const sums = new Float64Array(leaves * width)
    const sizes = new Uint32Array(leaves)
    gather(sample, own, width, sums, sizes)
    for (let leaf = 0; leaf < leaves; leaf++) {
      if (sizes[leaf] === 0) {
        const largest = sizes.reduce((most, size, i) => (size > sizes[most] ? i : most), 0)
        const row = member(own, largest, next(sizes[largest]))
        sums.set(sample.subarray(row * width, (row + 1) * width), leaf * width)
        own[row] = leaf
        sizes[leaf] = 1
        sizes[largest]--
      }
      for (let i = leaf * width; i < (leaf + 1) * width; i++) centroids[i] = sums[i] / sizes[leaf]
    }
    assigner.move(centroids)
  }
  return centroids
}

/**
 * Moves each of `centroids` to the mean of all rows that are nearest to it, `rounds` times; `take` gives some of the rows,
 * in pieces that fit memory. A sample says where centroids lie, all rows say more exactly.
 */
export function settleCentroids(
  module: WebAssembly.Module,
  centroids: Float32Array,
  width: number,
  rounds: number,
  pieces: () => Iterable<Float32Array>,
): void {
  const assigner = new Assigner(module, centroids, width)
  for (let round = 0; round < rounds; round++) {
    const sums = new Float64Array(centroids.length)
    const sizes = new Uint32Array(centroids.length / width)
    for (const rows of pieces()) {
      const own = new Uint32Array(rows.length / width)
      assigner.assign(rows, own)
      gather(rows, own, width, sums, sizes)
    }
    for (let i = 0; i < centroids.length; i++) {
      const size = sizes[Math.floor(i / width)]
      // Nobody's stays where it is: another row may be its own.
      if (size > 0) centroids[i] = sums[i] / size
    }
    assigner.move(centroids)
  }
}

/** Adds rows to the sums of their leaves. */
function gather(rows: Float32Array, own: Uint32Array, width: number, sums: Float64Array, sizes: Uint32Array): void {
  for (let row = 0, at = 0; row < own.length; row++) {
    const leaf = own[row]
    sizes[leaf]++
    for (let to = leaf * width, end = to + width; to < end; to++, at++) sums[to] += rows[at]
  }
}

/** The row that is number `count` of a leaf. */
function member(own: Uint32Array, leaf: number, count: number): number {
  // Not by indexOf from one to the next: where many items are the same most rows are of one leaf, a call each.
  let row = 0
  for (let before = count; row < own.length; row++) if (own[row] === leaf && before-- === 0) break
  return row
}

export function transposed(matrix: Float32Array, width: number): Float32Array {
  const rows = matrix.length / width
  const turned = new Float32Array(matrix.length)
  for (let row = 0; row < rows; row++) for (let i = 0; i < width; i++) turned[i * rows + row] = matrix[row * width + i]
  return turned
}

/** Half the squared length of each row. */
export function halfSquares(matrix: Float32Array, width: number): Float32Array {
  return Float32Array.from({ length: matrix.length / width }, (_, row) => squaresOf(matrix, row * width, width) / 2)
}
