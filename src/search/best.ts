/** A row and its key: the larger key is the better. */
export type Entry = readonly [key: number, row: number]

/** The `size` best of what is offered: a heap with the worst on top. */
export class Best {
  private readonly size: number
  private readonly heap: Entry[] = []

  constructor(size: number) {
    this.size = size
  }

  offer(key: number, row: number): void {
    const { heap } = this
    const entry = [key, row] as const
    if (heap.length < this.size) {
      heap.push(entry)
      this.rise(heap.length - 1)
    } else if (this.size > 0 && before(entry, heap[0])) {
      heap[0] = entry
      this.sink()
    }
  }

  /** The key that another must rank before: -Infinity while there is room. */
  get least(): number {
    return this.heap.length < this.size ? -Infinity : this.heap[0][0]
  }

  sorted(): Entry[] {
    return [...this.heap].sort((a, b) => (before(a, b) ? -1 : 1))
  }

  private rise(from: number): void {
    const { heap } = this
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1
      if (!before(heap[parent], heap[at])) return
      ;[heap[parent], heap[at]] = [heap[at], heap[parent]]
      at = parent
    }
  }

  private sink(): void {
    const { heap } = this
    for (let at = 0; ; ) {
      let worst = at
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < heap.length && before(heap[worst], heap[child])) worst = child
      if (worst === at) return
      ;[heap[worst], heap[at]] = [heap[at], heap[worst]]
      at = worst
    }
  }
}

/** Whether `a` ranks before `b`: the larger key, then the earlier row; NaN after everything. */
export function before(a: Entry, b: Entry): boolean {
  const [x, y] = [a[0], b[0]]
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) === Number.isNaN(y) ? a[1] < b[1] : Number.isNaN(y)
  return x === y ? a[1] < b[1] : x > y
}
