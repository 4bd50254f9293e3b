import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import type { Tensor } from '../tensor/index.ts'
import { integer, integersOf, integerTensor } from './integers.ts'
import { checkedSize, joined } from './layout.ts'
import {
  blank,
  compatible,
  cut,
  definite,
  listOf,
  MOST,
  merge,
  type PartialShape,
  partialShapeOf,
  show,
  slices,
  TensorList,
} from './tensorlist.ts'

// Lists of tensors, which carry a loop's results from step to step: core/kernels/list_kernels.{h,cc}.

const elementDType = ({ attrs }: Call) => attrs.dtype('element_dtype')

/** `tensor`, whose slices along the first dimension must fit `shape`. */
function sliceable(tensor: Tensor, shape: PartialShape): Tensor {
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
  return { ...joined(parts), shape: whole } as Tensor
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

const scatterNew: Op = {
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

const scatterIntoExisting: Op = {
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

const getItem: Op = {
  evaluate(call) {
    const list = listOf(call.inputs[0], elementDType(call))
    const index = integer(call, 1, 'index')
    const { tensors, dtype } = list
    if (!(index >= 0 && index < tensors.length)) {
      throw new InvalidArgumentError(`Trying to access element ${index} in a list with ${tensors.length} elements.`)
    }
    const element = tensors[index]
    if (element !== undefined) return element
    let partial = merge(partialShapeOf(call.inputs[2]), list.shape)
    if (definite(partial) === null) {
      for (const other of tensors) if (other !== undefined) partial = merge(partial, other.shape)
    }
    const shape = definite(partial)
    if (shape === null) {
      throw new InvalidArgumentError(
        `Trying to read an uninitialized tensor but element_shape is not fully defined: ${show(partial)} and no list element is set.`,
      )
    }
    return blank(dtype, shape)
  },
}

const setItem: Op = {
  evaluate(call) {
    const [handle, , item] = call.inputs
    const list = listOf(handle, elementDType(call))
    const index = integer(call, 1, 'index')
    const grows = call.attrs.boolean('resize_if_index_out_of_bounds', false)
    if (index < 0 || (index >= list.length && !grows)) {
      throw new InvalidArgumentError(`Trying to modify element ${index} in a list with ${list.length} elements.`)
    }
    if (!compatible(list.shape, item.shape)) {
      throw new InvalidArgumentError(
        `Tried to set a tensor with incompatible shape at a list index. Item element shape: ${show(item.shape)} list shape: ${show(list.shape)}`,
      )
    }
    const tensors = list.tensors.slice()
    tensors[index] = item
    return list.with(tensors).handle()
  },
}

const pushBack: Op = {
  evaluate(call) {
    const [handle, item] = call.inputs
    return pushed(listOf(handle, elementDType(call)), item).handle()
  },
}

function pushed(list: TensorList, item: Tensor): TensorList {
  if (item.dtype !== list.dtype) {
    throw new InvalidArgumentError(`Invalid data types; list elements ${list.dtype} but tried to append ${item.dtype}`)
  }
  if (!compatible(list.shape, item.shape)) {
    throw new InvalidArgumentError(
      `Tried to append a tensor with incompatible shape to a list. Op element shape: ${show(item.shape)} list shape: ${show(list.shape)}`,
    )
  }
  if (list.capacity !== -1 && list.length >= list.capacity) {
    throw new InvalidArgumentError(
      `Tried to push item into a full list list size: ${list.length} max_num_elements: ${list.capacity}`,
    )
  }
  return list.with([...list.tensors, item])
}

const popBack: Op = {
  outputs: ['output_handle', 'tensor'],
  evaluate(call) {
    const list = listOf(call.inputs[0], elementDType(call))
    if (list.length === 0) throw new InvalidArgumentError('Trying to pop from an empty list.')
    const last = list.tensors[list.length - 1]
    const shape = last?.shape ?? definite(merge(partialShapeOf(call.inputs[1]), list.shape))
    if (shape === null) {
      throw new InvalidArgumentError('Trying to read an uninitialized tensor but element_shape is not fully defined.')
    }
    return [list.with(list.tensors.slice(0, -1)).handle(), last ?? blank(list.dtype, shape)]
  },
}

/**
 * Joins elements along their first dimension. One that was never set takes its length from leading_dims (V2), or from
 * the first dimension that all others share.
 */
const concat: Op = {
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
    const all = parts.length === 0 ? blank(list.dtype, shape) : ({ ...joined(parts), shape } as Tensor)
    return [all, integerTensor('int64', [lengths.length], lengths)]
  },
}

const split: Op = {
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

export const ops: Readonly<Record<string, Op>> = {
  EmptyTensorList: {
    evaluate(call) {
      const capacity = integer(call, 1, 'max_num_elements')
      return new TensorList(elementDType(call), partialShapeOf(call.inputs[0]), [], capacity).handle()
    },
  },
  TensorListReserve: {
    evaluate(call) {
      const size = integer(call, 1, 'num_elements')
      if (size < 0) {
        throw new InvalidArgumentError(`The num_elements to reserve must be a non negative number, but got ${size}`)
      }
      return new TensorList(elementDType(call), partialShapeOf(call.inputs[0]), new Array(size)).handle()
    },
  },
  TensorListFromTensor: {
    evaluate({ inputs: [tensor, shapeTensor] }) {
      const shape = partialShapeOf(shapeTensor)
      return new TensorList(tensor.dtype, shape, sliceable(tensor, shape)).handle()
    },
  },
  TensorListStack: {
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
  },
  TensorListGather: {
    evaluate(call) {
      const list = listOf(call.inputs[0], elementDType(call))
      const { tensors } = list
      const elements = integersOf(call.inputs[1], 'indices').map((index) => {
        if (index >= 0 && index < tensors.length) return tensors[index]
        throw new InvalidArgumentError(`Trying to gather element ${index} in a list with ${tensors.length} elements.`)
      })
      return stacked(list, elements, partialShapeOf(call.inputs[2]))
    },
  },
  TensorListGetItem: getItem,
  TensorListSetItem: setItem,
  TensorListPushBack: pushBack,
  TensorListPopBack: popBack,
  TensorListPushBackBatch: {
    evaluate({ inputs: [handles, tensor] }) {
      if (handles.dtype !== 'variant') throw new TypeError(`input_handles must be variants, got ${handles.dtype}`)
      const rows = slices(sliceable(tensor, null))
      if (handles.shape.length !== 1 || handles.data.length !== rows.length) {
        throw new InvalidArgumentError(
          `Expected tensor.shape[0] == input_handles.size, but saw ${rows.length} vs. ${handles.data.length}`,
        )
      }
      const data = handles.data.map((payload, i) =>
        pushed(listOf({ dtype: 'variant', shape: [], data: [payload] }), rows[i]),
      )
      return { dtype: 'variant', shape: handles.shape, data }
    },
  },
  TensorListLength: {
    evaluate({ inputs: [handle] }) {
      return { dtype: 'int32', shape: [], data: Int32Array.of(listOf(handle).length) }
    },
  },
  TensorListElementShape: {
    evaluate({ inputs: [handle], attrs }) {
      const { shape } = listOf(handle)
      const dtype = attrs.dtype('shape_type')
      if (shape === null) return integerTensor(dtype, [], [-1])
      return integerTensor(
        dtype,
        [shape.length],
        shape.map((dim) => dim ?? -1),
      )
    },
  },
  TensorListResize: {
    evaluate(call) {
      const list = listOf(call.inputs[0])
      const size = integer(call, 1, 'size')
      if (size < 0) {
        throw new InvalidArgumentError(`TensorListSlice expects size to be non-negative. Got: ${size}`)
      }
      const tensors = list.tensors.slice(0, size)
      tensors.length = size
      return list.with(tensors).handle()
    },
  },
  TensorListScatter: scatterNew,
  TensorListScatterV2: scatterNew,
  TensorListScatterIntoExistingList: scatterIntoExisting,
  TensorListConcat: concat,
  TensorListConcatV2: concat,
  TensorListSplit: split,
}
