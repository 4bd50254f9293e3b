/** Grows what is written as bytes: the base of the writers of each format. */
export class ByteWriter {
  protected bytes: Uint8Array<ArrayBuffer>
  /** How many of `bytes` are written. */
  protected used = 0

  /** @param expected about how many bytes will come */
  constructor(expected = 1 << 16) {
    this.bytes = new Uint8Array(expected)
  }

  get length(): number {
    return this.used
  }

  /** What was written, an array of its own; the writer begins anew. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.bytes.slice(0, this.used)
    this.used = 0
    return taken
  }

  /** Room for `more` bytes from `used` on. It may make `bytes` another array. */
  protected reserve(more: number): void {
    if (this.used + more <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(this.used + more, 2 * this.bytes.length))
    larger.set(this.bytes.subarray(0, this.used))
    this.bytes = larger
  }
}
