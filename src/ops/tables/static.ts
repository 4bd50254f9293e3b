import { InvalidArgumentError } from '../../errors.ts'
import type { Table } from '../../graph/index.ts'
import {
  ARRAYS,
  type ArrayDType,
  type DType,
  describe,
  halvesOf,
  Int64Index,
  isNumeric,
  type Shape,
  StringIndex,
  Strings,
  StringsBuilder,
  sizeOf,
  type Tensor,
  type TypedArray,
  tensor,
  zeros,
} from '../../tensor/index.ts'

type Index = StringIndex | Int64Index

/**
 * HashTable: filled once by an initialiser and never changed (kernels/lookup_table_op.h). Keys lie in a flat hash index,
 * values in an array beside them.
 */
export class StaticTable implements Table {
  readonly kind = 'table'
  readonly valueShape: readonly number[] = []
  readonly name: string
  readonly keyDtype: DType
  readonly valueDtype: DType
  private held: { readonly keys: Tensor; readonly values: Tensor; readonly index: Index } | null = null

  constructor(name: string, keyDtype: DType, valueDtype: DType) {
    this.name = name
    this.keyDtype = keyDtype
    this.valueDtype = valueDtype
  }

  get initialized(): boolean {
    return this.held !== null
  }

  get size(): number {
    return this.held === null ? 0 : sizeOf(this.held.keys.shape)
  }

  /** The hash index's slots, to be stored with the keys and given to `restore`. */
  get slots(): Int32Array {
    return this.contents().index.slots
  }

  /** Takes keys and values as they were exported, with the index's slots. */
  restore(keys: Tensor, values: Tensor, slots: Int32Array): void {
    this.held = { keys, values, index: indexOf(keys, slots) }
  }

  /**
   * Initialises the table. A second initialisation with the same contents changes nothing.
   * @throws {InvalidArgumentError} where a key comes twice with different values
   */
  insert(keys: Tensor, values: Tensor): void {
    if (keys.dtype !== this.keyDtype || values.dtype !== this.valueDtype) {
      throw new InvalidArgumentError(
        `table "${this.name}" maps ${this.keyDtype} to ${this.valueDtype}, got ${describe(keys)} and ${describe(values)}`,
      )
    }
    const size = sizeOf(keys.shape)
    if (size !== sizeOf(values.shape)) {
      throw new InvalidArgumentError(`table "${this.name}": ${size} keys but ${sizeOf(values.shape)} values`)
    }
    const index = indexOf(keys)
    const distinct: number[] = []
    const places = locate(index, keys)
    for (let i = 0; i < size; i++) {
      const first = places[i]
      if (first === i) distinct.push(i)
      else if (!sameElement(values, first, i)) {
        throw new InvalidArgumentError(
          `HashTable "${this.name}" has different values for the same key ${show(keys, i)}`,
        )
      }
    }
    if (this.held !== null) {
      if (this.size === distinct.length) return
      throw new InvalidArgumentError(`table "${this.name}" is already initialized`)
    }
    if (distinct.length === size) this.held = { keys: flat(keys), values: flat(values), index }
    else {
      const own = take(keys, distinct)
      this.held = { keys: own, values: take(values, distinct), index: indexOf(own) }
    }
  }

  find(keys: Tensor, fallback: Tensor): Tensor {
    const { values, index } = this.contents()
    if (keys.dtype !== this.keyDtype || fallback.dtype !== this.valueDtype) {
      throw new InvalidArgumentError(
        `table "${this.name}" maps ${this.keyDtype} to ${this.valueDtype}, looked up ${describe(keys)} with the default ${describe(fallback)}`,
      )
    }
    if (sizeOf(fallback.shape) !== 1)
      throw new InvalidArgumentError(`the default must be a scalar, got ${describe(fallback)}`)
    const positions = locate(index, keys)
    if (values.dtype === 'string' && fallback.dtype === 'string') {
      const out = new StringsBuilder(positions.length)
      for (const position of positions) out.push(position < 0 ? fallback.data.at(0) : values.data.at(position))
      return tensor('string', keys.shape, out.finish())
    }
    const dtype = values.dtype as ArrayDType
    const [from, otherwise] = [values.data as TypedArray, (fallback.data as TypedArray)[0]]
    if (values.dtype === 'int64') return tensor('int64', keys.shape, int64At(values.data, positions, fallback))
    const out = zeros(dtype, positions.length) as TypedArray
    for (let i = 0; i < out.length; i++) out[i] = positions[i] < 0 ? otherwise : from[positions[i]]
    return { dtype, shape: keys.shape, data: out } as Tensor
  }

  remove(): never {
    throw new InvalidArgumentError(`table "${this.name}" is static: it cannot be changed`)
  }

  /** What it holds it was given once; `insert` says what it makes of more. */
  clear(): void {}

  export(): { readonly keys: Tensor; readonly values: Tensor } {
    return this.contents()
  }

  private contents() {
    if (this.held === null)
      throw new InvalidArgumentError(`table "${this.name}" is not initialized: no initialiser of the export fills it`)
    return this.held
  }
}

/** The values at `positions`, the fallback for -1; by halves, for which V8 makes no BigInt. */
function int64At(values: BigInt64Array, positions: Int32Array, fallback: Tensor): BigInt64Array {
  const out = zeros('int64', positions.length)
  const [from, to] = [halvesOf(values), halvesOf(out)]
  const [low, high] = halvesOf(fallback.data as BigInt64Array)
  for (let i = 0, at = 0; i < positions.length; i++, at += 2) {
    const position = 2 * positions[i]
    to[at] = position < 0 ? low : from[position]
    to[at + 1] = position < 0 ? high : from[position + 1]
  }
  return out
}

/** int64 keys as they are; int32 and float keys by an exact image in 64 bits. */
function indexOf(keys: Tensor, slots?: Int32Array): Index {
  if (keys.dtype === 'string') return new StringIndex(keys.data, slots)
  return new Int64Index(wide(keys), slots)
}

function wide(keys: Tensor): BigInt64Array {
  if (keys.dtype === 'int64') return keys.data
  if (!isNumeric(keys)) throw new TypeError(`${keys.dtype} is not a key of a table`)
  const data = keys.data as TypedArray
  if (keys.dtype === 'float32' || keys.dtype === 'float64') {
    return new BigInt64Array(Float64Array.from(data as Float32Array, (x) => (x === 0 ? 0 : x)).buffer)
  }
  return BigInt64Array.from(data as Int32Array, (x) => BigInt(x))
}

/** Where each element of `keys` is in the index, or -1. */
function locate(index: Index, keys: Tensor): Int32Array {
  const positions = new Int32Array(sizeOf(keys.shape))
  if (keys.dtype === 'string') {
    const { bytes, offsets } = keys.data
    for (let i = 0; i < positions.length; i++)
      positions[i] = (index as StringIndex).find(bytes, offsets[i], offsets[i + 1])
    return positions
  }
  const image = wide(keys)
  const halves = new Int32Array(image.buffer, image.byteOffset, image.length * 2)
  for (let i = 0; i < positions.length; i++) positions[i] = (index as Int64Index).find(halves[2 * i], halves[2 * i + 1])
  return positions
}

function flat(t: Tensor): Tensor {
  const shape: Shape = [sizeOf(t.shape)]
  return { ...t, shape } as Tensor
}

/** The elements `positions` of `t`, as a vector. */
export function take(t: Tensor, positions: readonly number[]): Tensor {
  if (t.dtype === 'string') return tensor('string', [positions.length], t.data.take(positions))
  if (!isNumeric(t)) throw new TypeError(`${t.dtype} is not a key or a value of a table`)
  const data = new ARRAYS[t.dtype](positions.length) as TypedArray
  for (let i = 0; i < positions.length; i++) data[i] = (t.data as TypedArray)[positions[i]]
  return { dtype: t.dtype, shape: [positions.length], data } as Tensor
}

function sameElement(t: Tensor, i: number, j: number): boolean {
  if (t.dtype === 'string') return Strings.equal(t.data, i, t.data, j)
  return (t.data as TypedArray)[i] === (t.data as TypedArray)[j]
}

function show(keys: Tensor, i: number): string {
  return keys.dtype === 'string' ? JSON.stringify(keys.data.text(i)) : String((keys.data as TypedArray)[i])
}
