/** Bytes of a page of linear memory, and the most pages that there are of it. */
const [PAGE, PAGES] = [2 ** 16, 2 ** 16]
/** By how much of what there is room is made. */
const GROWTH = 1 / 2

/**
 * Floats that come one after the other, nobody knows how many. They lie in linear memory, which grows where it is: to copy
 * them into ever larger arrays would need room for them twice. Past its 4 GiB there is no other way.
 */
export class GrowingFloats {
  private memory: WebAssembly.Memory | null = null
  private floats: Float32Array
  private used = 0

  /** @param expected how many will come, where that is known */
  constructor(expected = 0) {
    this.floats = new Float32Array(expected)
  }

  push(values: Float32Array): void {
    const end = this.used + values.length
    if (end > this.floats.length) this.grow(end)
    this.floats.set(values, this.used)
    this.used = end
  }

  /** All of them, a view. */
  all(): Float32Array {
    return this.floats.subarray(0, this.used)
  }

  private grow(wanted: number): void {
    const floats = Math.ceil(Math.max(wanted, this.floats.length * (1 + GROWTH)))
    const pages = Math.min(Math.ceil((4 * floats) / PAGE), PAGES)
    if (4 * wanted > pages * PAGE) {
      this.memory = null
      this.move(new Float32Array(floats))
    } else if (this.memory === null) {
      this.memory = new WebAssembly.Memory({ initial: pages })
      this.move(new Float32Array(this.memory.buffer))
    } else {
      this.memory.grow(pages - this.memory.buffer.byteLength / PAGE)
      this.floats = new Float32Array(this.memory.buffer)
    }
  }

  private move(larger: Float32Array): void {
    larger.set(this.all())
    this.floats = larger
  }
}
