import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import type { Tensor } from '../tensor/index.ts'
import { integer, integersOf, integerTensor } from './integers.ts'
import { checkedSize } from './layout.ts'
import {
  blank,
  compatible,
  cut,
  definite,
  elementDType,
  joinedElements,
  listOf,
  MOST,
  merge,
  type PartialShape,
  partialShapeOf,
  show,
  slices,
  TensorList,
} from './tensorlist.ts'

// Lists made of one tensor, and tensors made of a list's elements: core/kernels/list_kernels.{h,cc}.

/** `tensor`, whose slices along the first dimension must fit `shape`. */
export function sliceable(tensor: Tensor, shape: PartialShape): Tensor {
  if (tensor.shape.length === 0) {
    throw new InvalidArgumentError('Tensor must be at least a vector, but saw shape: []')
  }
  const inner = tensor.shape.slice(1)
  if (!compatible(shape, inner)) {
    throw new InvalidArgumentError(
      `Specified a list with shape ${show(shape)} from a tensor with shape [${inner.join(',')}]`,
    )
  }
  return tensor
}

export const fromTensor: Op = {
  evaluate({ inputs: [tensor, shapeTensor] }) {
    const shape = partialShapeOf(shapeTensor)
    return new TensorList(tensor.dtype, shape, sliceable(tensor, shape)).handle()
  },
}

/** `elements` along a new first dimension; those that were never set are zeros. */
function stacked(list: TensorList, elements: readonly (Tensor | undefined)[], asked: PartialShape): Tensor {
  let partial = merge(asked, list.shape)
  for (const element of elements) if (element !== undefined) partial = merge(partial, element.shape)
  const shape = definite(partial)
  if (shape === null) {
    throw new InvalidArgumentError(
      `Tried to stack list which only contains uninitialized tensors and has a non-fully-defined element_shape: ${show(partial)}`,
    )
  }
  const whole = [elements.length, ...shape]
  if (checkedSize(whole, 'stacked shape') === 0) return blank(list.dtype, whole)
  const parts = Array.from(elements, (element) => element ?? blank(list.dtype, shape))
  return joinedElements(parts, whole)
}

export const stack: Op = {
  evaluate(call) {
    const list = listOf(call.inputs[0], elementDType(call))
    const wanted = call.attrs.number('num_elements', -1)
    if (wanted !== -1 && wanted !== list.length) {
      throw new InvalidArgumentError(
        `Operation expected a list with ${wanted} elements but got a list with ${list.length} elements.`,
      )
    }
    const asked = partialShapeOf(call.inputs[1])
    if (list.whole === null || list.whole.shape[0] === 0) return stacked(list, list.tensors, asked)
    merge(merge(asked, list.shape), list.whole.shape.slice(1))
    return list.whole
  },
}

export const gather: Op = {
  evaluate(call) {
    const list = listOf(call.inputs[0], elementDType(call))
    const { tensors } = list
    const elements = integersOf(call.inputs[1], 'indices').map((index) => {
      if (index >= 0 && index < tensors.length) return tensors[index]
      throw new InvalidArgumentError(`Trying to gather element ${index} in a list with ${tensors.length} elements.`)
    })
    return stacked(list, elements, partialShapeOf(call.inputs[2]))
  },
}

/** `tensors` with the rows of `rows` at `indices`, grown to the highest index. */
function scatter(tensors: readonly (Tensor | undefined)[], rows: readonly Tensor[], indices: readonly number[]) {
  const result = tensors.slice()
  indices.forEach((index, i) => {
    if (index < 0) throw new InvalidArgumentError('Indices in TensorListScatter must all be non-negative.')
    result[index] = rows[i]
  })
  return result
}

export const scatterNew: Op = {
  evaluate(call) {
    const [tensor, indicesTensor, shapeTensor] = call.inputs
    const indices = integersOf(indicesTensor, 'indices')
    const shape = partialShapeOf(shapeTensor)
    const size = call.inputs.length > 3 ? integer(call, 3, 'num_elements') : -1
    if (size < -1) {
      throw new InvalidArgumentError(`TensorListScatter expects num_elements >= -1, found: ${size}`)
    }
    const rows = slices(sliceable(tensor, shape))
    if (rows.length !== indices.length) {
      throw new InvalidArgumentError(
        `Invalid number of rows in input tensor. Expected: ${indices.length} Actual: ${rows.length}`,
      )
    }
    const outside = indices.find((index) => size !== -1 && index >= size)
    if (outside !== undefined) {
      throw new InvalidArgumentError(
        `TensorListScatter: Trying to scatter at index ${outside} in list with size ${size}`,
      )
    }
    return new TensorList(tensor.dtype, shape, scatter(new Array(Math.max(size, 0)), rows, indices)).handle()
  },
}

/** Where TensorFlow grows an existing list it leaves empty float vectors between, not elements that were never set. */
const NOTHING: Tensor = { dtype: 'float32', shape: [0], data: new Float32Array(0) }

export const scatterIntoExisting: Op = {
  evaluate({ inputs: [handle, tensor, indicesTensor] }) {
    const list = listOf(handle, tensor.dtype)
    const indices = integersOf(indicesTensor, 'indices')
    const rows = slices(sliceable(tensor, null))
    if (indicesTensor.shape.length !== 1 || rows.length !== indices.length) {
      throw new InvalidArgumentError(
        `Expected len(indices) == tensor.shape[0], but saw: ${indices.length} vs. ${rows.length}`,
      )
    }
    const grown = list.tensors.slice()
    if (indices.some((index) => index >= MOST)) throw new InvalidArgumentError('the list would be too long')
    for (const index of indices) while (grown.length < index) grown.push(NOTHING)
    return list.with(scatter(grown, rows, indices)).handle()
  },
}

/**
 * Joins elements along their first dimension. One that was never set takes its length from leading_dims (V2), or from
 * the first dimension that all others share.
 */
export const concat: Op = {
  outputs: ['tensor', 'lengths'],
  evaluate(call) {
    const list = listOf(call.inputs[0], elementDType(call))
    const asked =
      call.inputs.length > 1 ? merge(partialShapeOf(call.inputs[1]), list.shape) : call.attrs.shape('element_shape')
    if (asked?.length === 0) {
      throw new InvalidArgumentError('Concat requires elements to be at least vectors, found scalars instead.')
    }
    const leading = call.inputs.length > 2 ? integersOf(call.inputs[2], 'leading_dims') : []
    const first = call.inputs.length > 1 ? (asked?.[0] ?? null) : null
    let partial: PartialShape = asked?.slice(1) ?? null
    const firsts = new Set<number>()
    list.tensors.forEach((element, i) => {
      if (element === undefined) return
      if (element.shape.length === 0) {
        throw new InvalidArgumentError(`Concat saw a scalar shape at index ${i} but requires at least vectors.`)
      }
      const [length, ...inner] = element.shape
      partial = merge(partial, inner)
      if (first !== null && first !== length) {
        throw new InvalidArgumentError(
          `First entry of element_shape input does not match the first dim of list element at index: ${i} Expected: ${first} Actual: ${length}`,
        )
      }
      firsts.add(length)
    })
    const inner = definite(partial)
    if (inner === null) {
      throw new InvalidArgumentError(
        `Trying to concat list with only uninitialized tensors but element_shape_except_first_dim is not fully defined: ${show(partial)}`,
      )
    }
    const shared = first ?? (firsts.size === 1 ? [...firsts][0] : null)
    const lengths = Array.from(list.tensors, (element, i) => {
      const length = element?.shape[0] ?? leading[i] ?? shared
      if (length === null) {
        throw new InvalidArgumentError(
          `List contains uninitialized tensor at index ${i} but leading_dims has only ${leading.length} elements.`,
        )
      }
      return length
    })
    const shape = [lengths.reduce((sum, length) => sum + length, 0), ...inner]
    checkedSize(shape, 'concatenated shape')
    const parts = Array.from(list.tensors, (element, i) => element ?? blank(list.dtype, [lengths[i], ...inner]))
    const all = parts.length === 0 ? blank(list.dtype, shape) : joinedElements(parts, shape)
    return [all, integerTensor('int64', [lengths.length], lengths)]
  },
}

export const split: Op = {
  evaluate({ inputs: [tensor, shapeTensor, lengthsTensor] }) {
    const shape = partialShapeOf(shapeTensor)
    if (shape?.length === 0) {
      throw new InvalidArgumentError('TensorListSplit requires element_shape to be at least of rank 1, but saw: []')
    }
    if (tensor.shape.length === 0) {
      throw new InvalidArgumentError('Tensor must be at least a vector, but saw shape: []')
    }
    const [rows, ...inner] = tensor.shape
    if (!compatible(shape?.slice(1) ?? null, inner)) {
      throw new InvalidArgumentError(
        `tensor shape [${tensor.shape}] is not compatible with element_shape ${show(shape)}`,
      )
    }
    if (lengthsTensor.shape.length !== 1) {
      throw new InvalidArgumentError(`Expected lengths to be a vector, received shape: [${lengthsTensor.shape}]`)
    }
    let start = 0
    const tensors = integersOf(lengthsTensor, 'lengths').map((length) => {
      if (length < 0) throw new InvalidArgumentError(`Invalid value in lengths: ${length}`)
      if (start + length > rows) {
        throw new InvalidArgumentError(
          `Attempting to slice [${start}, ${start + length}] from tensor with length ${rows}`,
        )
      }
      start += length
      return cut(tensor, start - length, start, [length, ...inner])
    })
    if (start !== rows) {
      throw new InvalidArgumentError(`Unused values in tensor. Length of tensor: ${rows} Values used: ${start}`)
    }
    return new TensorList(tensor.dtype, shape, tensors).handle()
  },
}
