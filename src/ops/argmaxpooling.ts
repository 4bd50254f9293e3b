import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import { isBig, type NumberArray, sizeOf, type Tensor } from '../tensor/index.ts'
import { filled, numeric } from './elementwise.ts'
import { stepsOf } from './layout.ts'
import { forEachCovered, imageOf, shapeOf, windowsOf } from './windows.ts'

/**
 * The largest of each window, and where it lies: (y·width + x)·channels + c, with the image's number before it where
 * `include_batch_in_index` says so (core/kernels/maxpooling_op.cc). The first of a window is taken whatever it is, and from
 * then on only what is larger, so that a NaN in the first place stays.
 */
const maxPoolWithArgmax: Op = {
  evaluate(call) {
    const { attrs } = call
    const x = numeric(call, 0)
    if (isBig(x.dtype) || x.dtype === 'bool') throw new TypeError(`${x.dtype} is not a type of this op`)
    const sizes = imageOf(x.shape, 'NHWC', 'tensor_in')
    if (sizeOf(x.shape) === 0) throw new InvalidArgumentError('tensor_in must not be empty')
    const window = imageOf(attrs.numbers('ksize'), 'NHWC', 'ksize')
    if (window.batch !== 1 || window.channels !== 1)
      throw new InvalidArgumentError('Pooling is not yet supported on the batch or the depth dimension.')
    const { rows, columns } = windowsOf(attrs, sizes, window, 'NHWC')
    const shape = shapeOf({ ...sizes, height: rows.count, width: columns.count }, 'NHWC')
    const to = imageOf(stepsOf(shape), 'NHWC', 'output')
    const steps = imageOf(stepsOf(x.shape), 'NHWC', 'tensor_in')
    const data = x.data as NumberArray
    const places = new Float64Array(sizeOf(shape)).fill(-1)
    const largest = filled(x.dtype, shape, (out) => {
      for (let at = 0; at < places.length; at++) {
        const [b, c] = [Math.floor(at / to.batch), at % sizes.channels]
        const row = Math.floor((at % to.batch) / to.height)
        const column = Math.floor((at % to.height) / to.width)
        forEachCovered(rows, row, sizes.height, (y) => {
          forEachCovered(columns, column, sizes.width, (across) => {
            const place = b * steps.batch + y * steps.height + across * steps.width + c
            if (places[at] >= 0 && !(data[place] > data[places[at]])) return
            places[at] = place
          })
        })
        out[at] = data[places[at]]
      }
    })
    const withBatch = attrs.boolean('include_batch_in_index', false)
    const where = (at: number): number => (withBatch ? places[at] : places[at] % steps.batch)
    const argmax: Tensor =
      attrs.dtype('Targmax', 'int64') === 'int32'
        ? { dtype: 'int32', shape, data: Int32Array.from(places, (_, at) => where(at)) }
        : { dtype: 'int64', shape, data: BigInt64Array.from(places, (_, at) => BigInt(where(at))) }
    return [largest, argmax]
  },
}

export const ops: Readonly<Record<string, Op>> = { MaxPoolWithArgmax: maxPoolWithArgmax }
