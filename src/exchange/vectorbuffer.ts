import type { GrowingFile } from '../embed/sink.ts'

/** Floats that are written at once. */
const PIECE = 1 << 18

/** Vectors on their way into a file, little-endian one after the other. */
export class VectorBuffer {
  private readonly file: GrowingFile
  private held: Float32Array<ArrayBuffer> = new Float32Array(0)
  private used = 0

  constructor(file: GrowingFile) {
    this.file = file
  }

  async add(vector: Float32Array): Promise<void> {
    if (this.used + vector.length > this.held.length) {
      await this.flush()
      if (vector.length > this.held.length) this.held = new Float32Array(Math.max(PIECE, vector.length))
    }
    this.held.set(vector, this.used)
    this.used += vector.length
  }

  async flush(): Promise<void> {
    if (this.used > 0) await this.file.append(new Uint8Array(this.held.buffer, 0, 4 * this.used))
    this.used = 0
  }
}
