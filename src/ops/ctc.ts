import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import { type NumberArray, tensor } from '../tensor/index.ts'
import { filled, numeric } from './elementwise.ts'
import { integerVector } from './integers.ts'
import { int64 } from './sparse/coo.ts'

/**
 * The likeliest class at each step of a sequence, blanks and, where `merge_repeated` says so, repetitions left out, after
 * core/kernels/ctc_decoder_ops.cc.
 */
const greedy: Op = {
  outputs: ['decoded_indices', 'decoded_values', 'decoded_shape', 'log_probability'],
  evaluate(call) {
    const inputs = numeric(call, 0)
    if (inputs.shape.length !== 3) throw new InvalidArgumentError(`inputs is not a 3-Tensor: [${inputs.shape}]`)
    const [steps, batch, classes] = inputs.shape
    if (inputs.shape.includes(0)) throw new InvalidArgumentError(`inputs must not be empty: [${inputs.shape}]`)
    const lengths = integerVector(call, 1, 'sequence_length')
    if (lengths.length !== batch)
      throw new InvalidArgumentError(
        `len(sequence_length) != batch_size.  len(sequence_length):  ${lengths.length} batch_size: ${batch}`,
      )
    const long = lengths.findIndex((length) => !(length <= steps))
    if (long >= 0) throw new InvalidArgumentError(`sequence_length(${long}) <= ${steps}`)
    const merges = call.attrs.boolean('merge_repeated', false)
    const given = call.attrs.number('blank_index', -1)
    const blank = given < 0 ? given + classes : given
    if (!(blank >= 0 && blank < classes))
      throw new InvalidArgumentError(`blank_index expected to be between ${-classes} and ${classes - 1}, got ${given}`)
    const data = inputs.data as NumberArray
    const round = inputs.dtype === 'float32' ? Math.fround : (x: number) => x
    const [indices, values, scores]: [number[], bigint[], number[]] = [[], [], []]
    let longest = 0
    for (let b = 0; b < batch; b++) {
      let [score, last, length] = [0, -1, 0]
      for (let t = 0; t < lengths[b]; t++) {
        const row = (t * batch + b) * classes
        let best = 0
        for (let c = 1; c < classes; c++) if (data[row + c] > data[row + best]) best = c
        score = round(score - data[row + best])
        if (best !== blank && !(merges && best === last)) {
          indices.push(b, length++)
          values.push(BigInt(best))
        }
        last = best
      }
      scores.push(score)
      longest = Math.max(longest, length)
    }
    return [
      int64([values.length, 2], indices),
      tensor('int64', [values.length], BigInt64Array.from(values)),
      int64([2], [batch, longest]),
      filled(inputs.dtype, [batch, 1], (out) => (out as NumberArray).set(scores)),
    ]
  },
}

export const ops: Readonly<Record<string, Op>> = { CTCGreedyDecoder: greedy }
