import type { Tensor, TensorOf } from '../tensor/index.ts'
import type { Pointer } from './kernels.ts'
import type { Elements, Memory } from './memory.ts'

// What a run of kernels comes to: copies into linear memory, and calls with their numbers. For inputs of the same shapes these
// are the same, so they are written down once (planner.ts) and gone through again, and nothing is looked up, checked or made
// between them. They are the very calls of the run, so the bits are the same.

/** An input by its place among them, or an array that stays, and where its copy lies. */
export interface Copy {
  readonly from: number | Elements
  readonly at: Pointer
}

/** A run of a graph on float32 inputs of some shapes. */
export class Plan {
  /** Where its room ends, which begins where the arena does. */
  readonly end: Pointer
  private readonly memory: Memory
  private readonly copies: readonly Copy[]
  private readonly calls: readonly (() => void)[]
  /** Where the results lie, and they as views of the memory. */
  private readonly places: readonly { readonly at: Pointer; readonly length: number }[]
  private results: readonly TensorOf<'float32'>[]

  /** @param results of the run that was written down, which is not over */
  constructor(
    memory: Memory,
    copies: readonly Copy[],
    calls: readonly (() => void)[],
    results: readonly TensorOf<'float32'>[],
  ) {
    this.memory = memory
    this.end = memory.top
    this.copies = copies
    this.calls = calls
    this.places = results.map(({ data }) => ({ at: data.byteOffset, length: data.length }))
    this.results = results
  }

  /** The results for other numbers of the inputs, valid until the next call. */
  run(inputs: readonly Float32Array[]): readonly Tensor[] {
    const { memory, copies, calls } = this
    for (let i = 0; i < copies.length; i++) {
      const { from, at } = copies[i]
      memory.copy(typeof from === 'number' ? inputs[from] : from, at)
    }
    for (let i = 0; i < calls.length; i++) calls[i]()
    // Memory that has grown takes its views away.
    if (!memory.holds(this.results[0].data)) {
      this.results = this.results.map((result, i) => {
        const { at, length } = this.places[i]
        return { ...result, data: memory.view(at, length) }
      })
    }
    return this.results
  }
}
