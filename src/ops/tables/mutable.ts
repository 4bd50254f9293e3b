import { InvalidArgumentError } from '../../errors.ts'
import type { Table } from '../../graph/index.ts'
import {
  type ArrayDType,
  type DType,
  describe,
  isNumeric,
  Strings,
  sizeOf,
  type Tensor,
  type TypedArray,
  tensor,
  zeros,
} from '../../tensor/index.ts'

type Element = string | number | bigint | Uint8Array

/**
 * MutableHashTable, MutableHashTableOfTensors and MutableDenseHashTable (kernels/lookup_table_op.cc): filled from the
 * checkpoint or by the graph, changed by inserts. A missing key takes the default, which is one value or one a key.
 */
export class MutableTable implements Table {
  readonly kind = 'table'
  readonly initialized = true
  readonly name: string
  readonly keyDtype: DType
  readonly valueDtype: DType
  readonly valueShape: readonly number[]
  /** The empty and the deleted key of a dense table, one a tensor: they cannot be looked up. */
  readonly reserved: readonly Tensor[]
  private readonly refused: ReadonlySet<Element>
  private readonly rows = new Map<Element, { readonly key: Element; readonly values: readonly Element[] }>()

  constructor(
    name: string,
    keyDtype: DType,
    valueDtype: DType,
    valueShape: readonly number[],
    reserved: readonly Tensor[] = [],
  ) {
    this.name = name
    this.keyDtype = keyDtype
    this.valueDtype = valueDtype
    this.valueShape = valueShape
    this.reserved = reserved
    this.refused = new Set(reserved.map((key) => keyOf(element(key, 0))))
  }

  get size(): number {
    return this.rows.size
  }

  insert(keys: Tensor, values: Tensor): void {
    this.check(keys, values, 'values')
    const width = sizeOf(this.valueShape)
    const count = sizeOf(keys.shape)
    if (sizeOf(values.shape) !== count * width) {
      throw new InvalidArgumentError(
        `table "${this.name}" takes a value of shape [${this.valueShape}] a key, got ${describe(values)} for ${count} keys`,
      )
    }
    for (let i = 0; i < count; i++) {
      const key = element(keys, i)
      if (this.refused.has(keyOf(key))) {
        // A checkpoint of a dense table holds its empty buckets too.
        continue
      }
      const row = Array.from({ length: width }, (_, j) => element(values, i * width + j))
      this.rows.set(keyOf(key), { key, values: row })
    }
  }

  find(keys: Tensor, fallback: Tensor): Tensor {
    this.check(keys, fallback, 'default')
    const width = sizeOf(this.valueShape)
    const count = sizeOf(keys.shape)
    const perKey = sizeOf(fallback.shape) === count * width && sizeOf(fallback.shape) !== width
    if (!perKey && sizeOf(fallback.shape) !== width) {
      throw new InvalidArgumentError(
        `the default must have the shape [${this.valueShape}] of a value, got ${describe(fallback)}`,
      )
    }
    const found: Element[] = []
    for (let i = 0; i < count; i++) {
      const key = keyOf(element(keys, i))
      if (this.refused.has(key))
        throw new InvalidArgumentError('Using the empty_key or deleted_key as a table key is not allowed')
      const row = this.rows.get(key)
      for (let j = 0; j < width; j++)
        found.push(row === undefined ? element(fallback, perKey ? i * width + j : j) : row.values[j])
    }
    return pack(this.valueDtype, [...keys.shape, ...this.valueShape], found)
  }

  remove(keys: Tensor): void {
    for (let i = 0; i < sizeOf(keys.shape); i++) this.rows.delete(keyOf(element(keys, i)))
  }

  clear(): void {
    this.rows.clear()
  }

  export(): { readonly keys: Tensor; readonly values: Tensor } {
    const rows = [...this.rows.values()]
    return {
      keys: pack(
        this.keyDtype,
        [rows.length],
        rows.map((row) => row.key),
      ),
      values: pack(
        this.valueDtype,
        [rows.length, ...this.valueShape],
        rows.flatMap((row) => row.values),
      ),
    }
  }

  private check(keys: Tensor, values: Tensor, what: string): void {
    if (keys.dtype === this.keyDtype && values.dtype === this.valueDtype) return
    throw new InvalidArgumentError(
      `table "${this.name}" maps ${this.keyDtype} to ${this.valueDtype}, got the keys ${describe(keys)} and the ${what} ${describe(values)}`,
    )
  }
}

function element(t: Tensor, i: number): Element {
  if (t.dtype === 'string') return t.data.at(i).slice()
  if (!isNumeric(t)) throw new TypeError(`${t.dtype} is not a key or a value of a table`)
  return (t.data as TypedArray)[i]
}

/** What a Map finds a key by: bytes by the Latin-1 text of them. */
function keyOf(key: Element): Element {
  if (!(key instanceof Uint8Array)) return key
  let text = ''
  for (const byte of key) text += String.fromCharCode(byte)
  return text
}

function pack(dtype: DType, shape: readonly number[], elements: readonly Element[]): Tensor {
  if (dtype === 'string') return tensor('string', shape, Strings.from(elements as Uint8Array[]))
  const data = zeros(dtype as ArrayDType, elements.length) as TypedArray
  for (let i = 0; i < elements.length; i++) data[i] = elements[i] as number
  return { dtype, shape, data } as Tensor
}
