import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import type { Tensor } from '../tensor/index.ts'
import { integer, integerTensor } from './integers.ts'
import { concat, fromTensor, gather, scatterIntoExisting, scatterNew, sliceable, split, stack } from './listtensors.ts'
import {
  blank,
  compatible,
  definite,
  elementDType,
  listOf,
  merge,
  partialShapeOf,
  show,
  slices,
  TensorList,
} from './tensorlist.ts'

// Lists of tensors, which carry a loop's results from step to step: core/kernels/list_kernels.{h,cc}.

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
  TensorListFromTensor: fromTensor,
  TensorListStack: stack,
  TensorListGather: gather,
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
