import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { type Tensor, tensor } from '../tensor/index.ts'
import { compatible, show } from './tensorlist.ts'

// Values that may be missing: core/data/optional_ops.cc. tf.cond in a TensorFlow 1 graph gives out each branch's
// intermediate tensors, for a gradient, as optionals: those of the branch that ran hold one, the other's hold none.

/** The payload of an optional's variant tensor: its components, or null for none. */
class Optional {
  readonly components: readonly Tensor[] | null

  constructor(components: readonly Tensor[] | null) {
    this.components = components
  }

  /** The scalar variant that holds this optional. */
  handle(): Tensor {
    return { dtype: 'variant', shape: [], data: [this] }
  }
}

function optionalOf({ inputs: [handle], node }: Call): Optional {
  const held = handle.dtype === 'variant' && handle.shape.length === 0 ? handle.data[0] : undefined
  if (!(held instanceof Optional))
    throw new InvalidArgumentError(`Input to ${node.op} must be a scalar tensor containing an OptionalVariant object.`)
  return held
}

export const ops: Readonly<Record<string, Op>> = {
  OptionalNone: { evaluate: () => new Optional(null).handle() },
  OptionalFromValue: { evaluate: ({ inputs }) => new Optional(inputs.slice()).handle() },
  OptionalHasValue: {
    evaluate: (call) => tensor('bool', [], Uint8Array.of(optionalOf(call).components === null ? 0 : 1)),
  },
  OptionalGetValue: {
    outputs: (attrs) => [['components', attrs.dtypes('output_types').length]],
    evaluate(call) {
      const { components } = optionalOf(call)
      if (components === null) throw new InvalidArgumentError('The given optional does not have a value.')
      const dtypes = call.attrs.dtypes('output_types')
      const shapes = call.attrs.shapes('output_shapes')
      if (components.length !== dtypes.length) {
        throw new InvalidArgumentError(
          `The given optional has ${components.length} components, expected ${dtypes.length}.`,
        )
      }
      components.forEach(({ dtype, shape }, i) => {
        if (dtype !== dtypes[i]) {
          throw new InvalidArgumentError(
            `The given optional does not match the expected type for component ${i}. Expected: ${dtypes[i]}. Actual: ${dtype}.`,
          )
        }
        if (!compatible(shapes[i], shape)) {
          throw new InvalidArgumentError(
            `The given optional does not match the expected shape for component ${i}. Expected: ${show(shapes[i])}. Actual: [${shape}].`,
          )
        }
      })
      return components
    },
  },
}
