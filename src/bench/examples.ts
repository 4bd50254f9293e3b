import { constantOf, type Node } from '../graph/index.ts'
import { type DType, sizeOf, type Tensor } from '../tensor/index.ts'

/** A feature that a serialized tf.Example is asked for. */
export interface ExampleFeature {
  readonly name: string
  readonly dtype: DType
  /** How many values it has. */
  readonly length: number
}

/** Values of a feature that may have any number of them. */
const SOME = 3

/** What a node that parses examples asks for; null for another node, and where a key is computed. */
export function exampleFeatures(node: Node): ExampleFeature[] | null {
  const { op, attrs, inputs } = node
  const dense = attrs.dtypes('Tdense', [])
  const sparse = attrs.dtypes('sparse_types', [])
  const ragged = attrs.dtypes('ragged_value_types', [])
  const held = inputs.map(constantOf)
  const [sparseKeys, denseKeys, raggedKeys] =
    op === 'ParseExampleV2'
      ? held.slice(2, 5).map(textsOf)
      : op === 'ParseExample'
        ? [held.slice(2, 2 + sparse.length), held.slice(2 + sparse.length, 2 + sparse.length + dense.length), []].map(
            (keys) => keys.flatMap(textsOf),
          )
        : []
  if (sparseKeys === undefined) return null
  if (sparseKeys.length !== sparse.length || denseKeys.length !== dense.length || raggedKeys.length !== ragged.length)
    return null
  const shapes = attrs.shapes('dense_shapes', [])
  const lengths = denseKeys.map((_, i) => sizeOf((shapes[i] ?? []).map((dim) => dim ?? SOME)))
  return [
    ...sparseKeys.map((name, i) => ({ name, dtype: sparse[i], length: 1 })),
    ...denseKeys.map((name, i) => ({ name, dtype: dense[i], length: lengths[i] })),
    ...raggedKeys.map((name, i) => ({ name, dtype: ragged[i], length: SOME })),
  ]
}

const textsOf = (keys: Tensor | null): string[] =>
  keys?.dtype === 'string' ? Array.from({ length: keys.data.length }, (_, i) => keys.data.text(i)) : []
