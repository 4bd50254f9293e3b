import { StringsBuilder, sizeOf, type Tensor, zeros } from '../../tensor/index.ts'
import { type Feature, type FeatureKind, readBytes, readFloats, readInts } from './wire.ts'

/** The values of one feature over a batch, and where each example's end among them. */
export class Column {
  readonly dtype: FeatureKind
  /** How many values there are after each example. */
  readonly ends: number[] = []
  private readonly numbers: number[] = []
  private readonly bigints: bigint[] = []
  private readonly strings = new StringsBuilder()

  constructor(dtype: FeatureKind) {
    this.dtype = dtype
  }

  get length(): number {
    if (this.dtype === 'string') return this.strings.length
    return this.dtype === 'int64' ? this.bigints.length : this.numbers.length
  }

  /** Adds what `feature` holds; false where it is malformed. */
  read(feature: Feature): boolean {
    if (this.dtype === 'string') return append(readBytes(feature), (value) => this.strings.push(value))
    if (this.dtype === 'int64') return append(readInts(feature), (value) => this.bigints.push(value))
    return append(readFloats(feature), (value) => this.numbers.push(value))
  }

  /** Adds the elements of `tensor`. */
  copy(tensor: Tensor): void {
    for (let i = 0; i < tensor.data.length; i++) this.push(tensor, i)
  }

  private push(tensor: Tensor, i: number): void {
    if (tensor.dtype === 'string') this.strings.push(tensor.data.at(i))
    else if (tensor.dtype === 'int64') this.bigints.push(tensor.data[i])
    else if (tensor.dtype === 'float32') this.numbers.push(tensor.data[i])
  }

  /** Everything in order. */
  tensor(shape: readonly number[]): Tensor {
    if (this.dtype === 'string') return { dtype: 'string', shape, data: this.strings.finish() }
    if (this.dtype === 'int64') return { dtype: 'int64', shape, data: BigInt64Array.from(this.bigints) }
    return { dtype: 'float32', shape, data: Float32Array.from(this.numbers) }
  }

  /** Each example's values in a row of its own, filled up with `padding` to the longest; `inner` splits the values. */
  padded(inner: readonly number[], padding: Tensor): Tensor {
    const longest = this.longest()
    const shape = [this.ends.length, longest / sizeOf(inner), ...inner]
    // Refuses what is too large before a row is written; strings take an offset an element.
    zeros('uint8', this.dtype === 'string' ? sizeOf(shape) : 0)
    const values = this.tensor([this.length])
    const rows = new Column(this.dtype)
    let from = 0
    for (const end of this.ends) {
      for (let i = from; i < end; i++) rows.push(values, i)
      for (let i = end - from; i < longest; i++) rows.push(padding, 0)
      from = end
    }
    return rows.tensor(shape)
  }

  /** The most values that one example has. */
  longest(): number {
    let longest = 0
    this.ends.forEach((end, i) => {
      longest = Math.max(longest, end - (i === 0 ? 0 : this.ends[i - 1]))
    })
    return longest
  }
}

function append<T>(values: readonly T[] | null, push: (value: T) => void): boolean {
  values?.forEach(push)
  return values !== null
}
