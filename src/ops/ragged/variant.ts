import { InvalidArgumentError } from '../../errors.ts'
import type { Op } from '../../graph/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import { integerTensor } from '../integers.ts'
import { joined } from '../layout.ts'
import { blank } from '../tensorlist.ts'
import { sliceRagged } from './rows.ts'
import { nestedSplits } from './splits.ts'

/** What a variant of RaggedTensorToVariant holds: a ragged tensor, or a dense one where there are no splits. */
export class RaggedVariant {
  readonly nested: readonly (readonly number[])[]
  readonly values: Tensor

  constructor(nested: readonly (readonly number[])[], values: Tensor) {
    this.nested = nested
    this.values = values
  }
}

/** After core/kernels/ragged_tensor_to_variant_op.cc: one variant, or with batched_input one a row. */
export const toVariant: Op = {
  evaluate({ inputs, attrs }) {
    const rank = attrs.number('RAGGED_RANK')
    const values = inputs[rank]
    const nested = nestedSplits(inputs.slice(0, rank), values)
    if (!attrs.boolean('batched_input')) {
      return { dtype: 'variant', shape: [], data: [new RaggedVariant(nested, values)] }
    }
    const rows = rank > 0 ? nested[0].length - 1 : values.shape[0]
    const data = Array.from({ length: rows }, (_, row) => {
      const part = sliceRagged(nested, values, row, row + 1)
      if (rank > 0) return new RaggedVariant(part.nested.slice(1), part.values)
      return new RaggedVariant([], { ...part.values, shape: values.shape.slice(1) } as Tensor)
    })
    return { dtype: 'variant', shape: [rows], data }
  },
}

/** After core/kernels/ragged_tensor_from_variant_op.cc: the variants' dimensions become ragged ones around theirs. */
export const fromVariant: Op = {
  outputs: (attrs) => [
    ['output_nested_splits', attrs.number('output_ragged_rank')],
    ['output_dense_values', 1],
  ],
  evaluate({ inputs: [encoded], attrs }) {
    if (encoded.dtype !== 'variant') throw new TypeError(`encoded_ragged must be a variant, got ${encoded.dtype}`)
    const outputRank = attrs.number('output_ragged_rank')
    const given = attrs.number('input_ragged_rank')
    const outer = encoded.shape.length
    const inputRank = given === -1 ? outputRank - outer : given
    if (inputRank < 0 || (outer > 0 && outputRank !== outer + inputRank)) {
      throw new InvalidArgumentError(
        `output_ragged_rank must be equal to input_ragged_rank + encoded_ragged.dims(); got output_ragged_rank: ${outputRank}, input_ragged_rank: ${inputRank}, encoded_ragged.dims(): ${outer}`,
      )
    }
    const dtype = attrs.dtype('Tvalues')
    const parts = encoded.data.map((part) => {
      if (!(part instanceof RaggedVariant)) {
        throw new InvalidArgumentError('Input Variant element does not hold a RaggedTensorVariant')
      }
      if (part.values.dtype !== dtype) {
        throw new InvalidArgumentError(`Expected values Tensor dtype: ${dtype}, found: ${part.values.dtype}`)
      }
      const wanted = outer === 0 ? outputRank : inputRank
      if (part.nested.length !== wanted) {
        throw new InvalidArgumentError(
          `Encoded input RaggedTensorVariant has ragged_rank=${part.nested.length}. Expected ragged_rank=${wanted}.`,
        )
      }
      return part
    })
    const splitsDtype = attrs.dtype('Tsplits', 'int64')
    const answer = (nested: readonly (readonly number[])[], values: Tensor) => [
      ...nested.map((splits) => integerTensor(splitsDtype, [splits.length], splits)),
      values,
    ]
    if (outer === 0) return answer(parts[0].nested, parts[0].values)
    return answer([...evenSplits(encoded.shape), ...stacked(parts, inputRank)], stackedValues(parts, dtype))
  },
}

/** Splits of the variants' own dimensions but the first: rows of equal length. */
function evenSplits(shape: readonly number[]): number[][] {
  let rows = shape[0]
  return shape.slice(1).map((dim) => {
    const splits = Array.from({ length: rows + 1 }, (_, i) => i * dim)
    rows *= dim
    return splits
  })
}

/** The splits between the variants, then each of their dimensions one after the other. */
function stacked(parts: readonly RaggedVariant[], rank: number): number[][] {
  const lengths = (part: RaggedVariant, d: number): number =>
    d < rank ? part.nested[d].length - 1 : (part.values.shape[0] ?? 1)
  const between = [0]
  for (const part of parts) between.push(between[between.length - 1] + lengths(part, 0))
  const inside = Array.from({ length: rank }, (_, d) => {
    const splits = [0]
    for (const part of parts) {
      const offset = splits[splits.length - 1]
      for (const split of part.nested[d].slice(1)) splits.push(offset + split)
    }
    return splits
  })
  return [between, ...inside]
}

function stackedValues(parts: readonly RaggedVariant[], dtype: Tensor['dtype']): Tensor {
  if (parts.length === 0) return blank(dtype, [0])
  const inner = parts[0].values.shape.slice(1)
  let rows = 0
  for (const { values } of parts) {
    if (values.shape.length === 0) throw new InvalidArgumentError('values must have rank > 0')
    if (String(values.shape.slice(1)) !== String(inner)) {
      throw new InvalidArgumentError(
        `All flat_values must have compatible shapes.  Shape at index 0: [${inner}].  Shape at another: [${values.shape.slice(1)}]`,
      )
    }
    rows += values.shape[0]
  }
  return { ...joined(parts.map((part) => part.values)), shape: [rows, ...inner] } as Tensor
}
