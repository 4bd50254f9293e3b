import { InvalidArgumentError } from '../errors.ts'
import type { Attrs, Op } from '../graph/index.ts'
import { type ArrayDType, isBig, isFloat, isNumeric, Strings, type TypedArray, tensor, utf8 } from '../tensor/index.ts'
import { filled } from './elementwise.ts'
import { parseFloating, parseInteger, parseUnsigned } from './numbertext.ts'
import { text } from './strings.ts'
import { converted, formatFloat, pad, type Style } from './text/printf.ts'

// Numbers into strings and back, after core/kernels/as_string_op.cc and string_to_number_op.cc.

interface Format {
  readonly style: Style
  readonly precision: number
  readonly width: number
  readonly fill: string
}

function formatOf(attrs: Attrs): Format {
  const [scientific, shortest] = [attrs.boolean('scientific', false), attrs.boolean('shortest', false)]
  const fill = attrs.string('fill', '')
  if (scientific && shortest) throw new InvalidArgumentError('Cannot select both scientific and shortest notation')
  if (fill.length > 1) throw new InvalidArgumentError(`Fill string must be one or fewer characters, got: ${fill}`)
  if (fill !== '' && !'-0+ #'.includes(fill)) throw new InvalidArgumentError(`Fill argument not supported: "${fill}"`)
  return {
    style: scientific ? 'scientific' : shortest ? 'shortest' : 'fixed',
    precision: attrs.number('precision', -1),
    width: attrs.number('width', -1),
    fill,
  }
}

const asString: Op = {
  evaluate({ inputs: [x], attrs }) {
    const format = formatOf(attrs)
    if (x.dtype === 'string') return x
    if (!isNumeric(x)) throw new TypeError(`a ${x.dtype} has no string`)
    const data = x.data as TypedArray
    if (!isFloat(x.dtype) && (format.style !== 'fixed' || format.precision > -1)) {
      throw new InvalidArgumentError(
        `scientific and shortest format and precision not supported for datatype ${x.dtype}`,
      )
    }
    const write = isFloat(x.dtype)
      ? (value: number | bigint) => formatFloat(converted(Number(value), x.dtype), format.style, format.precision)
      : x.dtype === 'bool'
        ? (value: number | bigint) => (value ? 'true' : 'false')
        : String
    // C marks the sign of signed numbers only.
    const fill = x.dtype.startsWith('uint') && '+ '.includes(format.fill) ? '' : format.fill
    const padded = (value: number | bigint) =>
      x.dtype === 'bool' ? write(value) : pad(write(value), format.width, fill)
    return tensor('string', x.shape, Strings.from(Array.from(data as ArrayLike<number | bigint>, padded)))
  },
}

const toNumber: Op = {
  evaluate(call) {
    const x = text(call, 0)
    const dtype = call.attrs.dtype('out_type', 'float32') as ArrayDType
    const whole = dtype.startsWith('uint') ? parseUnsigned : parseInteger
    const parse = (plain: string) => (isFloat(dtype) ? parseFloating(plain) : whole(plain, isBig(dtype) ? 64 : 32))
    return filled(dtype, x.shape, (out) => {
      for (let i = 0; i < out.length; i++) {
        const value = parse(utf8(x.data.at(i)) ?? '?')
        if (value === null)
          throw new InvalidArgumentError(`StringToNumberOp could not correctly convert string: ${x.data.text(i)}`)
        out[i] = isBig(dtype) ? BigInt(value) : Number(value)
      }
    })
  },
}

export const ops: Readonly<Record<string, Op>> = {
  AsString: asString,
  StringToNumber: toNumber,
}
