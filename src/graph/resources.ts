import type { DType, Tensor, TensorOf } from '../tensor/index.ts'

// What a resource tensor's one element is. A resource lives as long as the constant that holds it: the importer makes
// each of the export's variables and tables once, fills it by the export's own initialisers, and hands it to every graph.

/** A variable. `value` is null until it is restored or assigned. */
export interface Variable {
  readonly kind: 'variable'
  readonly name: string
  readonly dtype: DType
  value: Tensor | null
}

/** A lookup table; its semantics are in ops/tables.ts. */
export interface Table {
  readonly kind: 'table'
  readonly name: string
  readonly keyDtype: DType
  readonly valueDtype: DType
  /** The shape of one value: [] for all but the mutable tables of tensors. */
  readonly valueShape: readonly number[]
  readonly size: number
  /** False until an initialiser ran; TensorFlow refuses lookups until then. */
  readonly initialized: boolean
  /** Values for `keys` (shape …keys ++ valueShape); where a key is absent, from `fallback`. */
  find(keys: Tensor, fallback: Tensor): Tensor
  insert(keys: Tensor, values: Tensor): void
  remove(keys: Tensor): void
  /** Before an import: all is forgotten, but what a static table holds. */
  clear(): void
  /** All keys and their values, in the table's own order. */
  export(): { readonly keys: Tensor; readonly values: Tensor }
}

export type Resource = Variable | Table

/** The handle of `resource`: a scalar resource tensor. */
export const handle = (resource: Resource): TensorOf<'resource'> => ({ dtype: 'resource', shape: [], data: [resource] })
