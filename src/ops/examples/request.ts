import { InvalidArgumentError } from '../../errors.ts'
import type { Attrs, Dim } from '../../graph/index.ts'
import type { DType, Tensor } from '../../tensor/index.ts'
import { Column } from './column.ts'
import { type FeatureKind, nameOf } from './wire.ts'

/** How TensorFlow prints a shape. */
export const show = (shape: readonly Dim[] | null): string =>
  shape === null ? '<unknown>' : `[${shape.map((dim) => dim ?? '?').join(',')}]`

/** DataTypeString's names. */
export const typeName = (dtype: DType): string => (dtype === 'float32' ? 'float' : dtype)

export interface Wanted {
  readonly name: string
  readonly kind: 'dense' | 'sparse' | 'ragged'
  readonly column: Column
}

export interface Dense extends Wanted {
  readonly shape: readonly Dim[]
  /** The first dimension is as long as the example makes it. */
  readonly variable: boolean
  /** Dimensions but the first where that is variable, else all. */
  readonly inner: readonly number[]
  readonly fallback: Tensor
}

/** What a node asks of its examples. */
export interface Request {
  readonly dense: readonly Dense[]
  readonly sparse: readonly Wanted[]
  readonly ragged: readonly Wanted[]
  readonly byName: ReadonlyMap<string, Wanted>
}

const KINDS: ReadonlySet<string> = new Set<FeatureKind>(['float32', 'int64', 'string'])

function columnOf(dtype: DType): Column {
  if (!KINDS.has(dtype)) throw new InvalidArgumentError(`Invalid config dtype: ${typeName(dtype)}`)
  return new Column(dtype as FeatureKind)
}

export function wanted(
  kind: Wanted['kind'],
  keys: readonly Uint8Array[],
  types: readonly DType[],
  count: string,
): Wanted[] {
  if (keys.length !== types.length) {
    throw new InvalidArgumentError(`Expected len(${kind}_keys) == ${count} but got: ${keys.length} vs. ${types.length}`)
  }
  return keys.map((key, i) => ({ name: nameOf(key), kind, column: columnOf(types[i]) }))
}

/** After ParseExampleAttrs::FinishInit and CheckInputShapes. */
export function wantedDense(keys: readonly Uint8Array[], attrs: Attrs, defaults: readonly Tensor[]): Dense[] {
  const types = attrs.dtypes('Tdense', [])
  const shapes = attrs.shapes('dense_shapes', [])
  if (keys.length !== types.length) {
    throw new InvalidArgumentError(
      `Expected len(dense_keys) == len(dense_types) but got: ${keys.length} vs. ${types.length}`,
    )
  }
  if (types.length !== shapes.length) throw new InvalidArgumentError('len(dense_keys) != len(dense_shapes)')
  if (types.length !== defaults.length) {
    throw new InvalidArgumentError(
      `Expected len(dense_defaults) == len(dense_keys) but got: ${defaults.length} vs. ${types.length}`,
    )
  }
  return keys.map((key, d) => {
    const [shape, fallback] = [shapes[d], defaults[d]]
    const variable = shape?.[0] === null
    const inner = variable ? shape.slice(1) : shape
    if (shape === null || inner === null || !inner.every((dim) => dim !== null)) {
      throw new InvalidArgumentError(
        `dense_shapes[${d}] has unknown rank or unknown inner dimensions: ${show(shape ?? null)}`,
      )
    }
    if (variable && fallback.data.length !== 1) {
      throw new InvalidArgumentError(
        `dense_shape[${d}] is a variable length shape: ${show(shape)}, therefore def_value[${d}] must contain a single ` +
          `element (the padding element).  But its shape is: ${show(fallback.shape)}`,
      )
    }
    if (!variable && fallback.data.length > 0 && show(shape) !== show(fallback.shape)) {
      throw new InvalidArgumentError(
        `def_value[${d}].shape() == ${show(fallback.shape)} is not compatible with dense_shapes_[${d}] == ${show(shape)}`,
      )
    }
    if (fallback.dtype !== types[d]) {
      throw new InvalidArgumentError(
        `dense_defaults[${d}].dtype() == ${typeName(fallback.dtype)} != dense_types_[${d}] == ${typeName(types[d])}`,
      )
    }
    return { name: nameOf(key), kind: 'dense', column: columnOf(types[d]), shape, variable, inner, fallback }
  })
}

export function request(dense: readonly Dense[], sparse: readonly Wanted[], ragged: readonly Wanted[]): Request {
  const all = [...dense, ...sparse, ...ragged]
  const byName = new Map(all.map((feature) => [feature.name, feature]))
  if (byName.size !== all.length)
    throw new InvalidArgumentError('Could not avoid collision: a feature is asked for twice')
  return { dense, sparse, ragged, byName }
}
