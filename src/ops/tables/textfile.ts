import { InvalidArgumentError } from '../../errors.ts'
import { type DType, Strings, type Tensor, tensor, utf8 } from '../../tensor/index.ts'
import { parseFloating, parseInteger } from '../numbertext.ts'

const LINE_NUMBER = -1
const WHOLE_LINE = -2

export interface TextFile {
  readonly path: string
  readonly bytes: Uint8Array
  /** How many lines to take, or -1 for all. */
  readonly vocabSize: number
  readonly delimiter: number
  /** Added to line numbers. */
  readonly offset: number
}

/**
 * Keys or values of a table from a text file (kernels/lookup_util.cc, TextFileLineIterator). `column` is -2 for the
 * whole line, -1 for its number, else a column. Carriage returns are dropped wherever they stand (io::InputBuffer).
 *
 * @throws {InvalidArgumentError} for an empty line, a missing column, a number that is none, fewer lines than promised
 */
export function columnOf(file: TextFile, lines: readonly Uint8Array[], column: number, dtype: DType): Tensor {
  const size = lines.length
  if (column === LINE_NUMBER) {
    if (dtype !== 'int64') throw new InvalidArgumentError(`line numbers are int64, the table wants ${dtype}`)
    return tensor(
      'int64',
      [size],
      BigInt64Array.from(lines, (_, i) => BigInt(i + file.offset)),
    )
  }
  const tokens = lines.map((line, i) => (column === WHOLE_LINE ? line : cell(file, line, i, column)))
  if (dtype === 'string') return tensor('string', [size], Strings.from(tokens))
  const numbers = tokens.map((token, i) => number(token, i, dtype))
  switch (dtype) {
    case 'int64':
      return tensor('int64', [size], BigInt64Array.from(numbers, BigInt))
    case 'int32':
      // TensorFlow adds the offset to int32 columns, and to no other type's.
      return tensor(
        'int32',
        [size],
        Int32Array.from(numbers, (n) => Number(n) + file.offset),
      )
    case 'float32':
      return tensor('float32', [size], Float32Array.from(numbers, Number))
    case 'float64':
      return tensor('float64', [size], Float64Array.from(numbers, Number))
    default:
      throw new InvalidArgumentError(`a table of ${dtype} cannot be read from ${file.path}`)
  }
}

/** The file's lines, as many as `vocabSize` asks for. */
export function linesOf(file: TextFile): Uint8Array[] {
  const lines: Uint8Array[] = []
  const { bytes, path, vocabSize } = file
  for (let start = 0; start < bytes.length; ) {
    if (vocabSize !== -1 && lines.length >= vocabSize) return lines
    let end = bytes.indexOf(NEWLINE, start)
    if (end < 0) end = bytes.length
    const line = withoutReturns(bytes.subarray(start, end))
    if (line.length === 0)
      throw new InvalidArgumentError(`Invalid content in ${path}: empty line found at position ${end + 1}`)
    lines.push(line)
    start = end + 1
  }
  if (vocabSize !== -1 && lines.length !== vocabSize) {
    throw new InvalidArgumentError(`Invalid vocab_size in ${path}: expected ${vocabSize} but got ${lines.length}`)
  }
  return lines
}

const NEWLINE = 10
const RETURN = 13

const withoutReturns = (line: Uint8Array): Uint8Array =>
  line.includes(RETURN) ? line.filter((byte) => byte !== RETURN) : line

function cell(file: TextFile, line: Uint8Array, i: number, column: number): Uint8Array {
  let start = 0
  for (let at = 0; ; at++) {
    let end = line.indexOf(file.delimiter, start)
    const last = end < 0
    if (last) end = line.length
    if (at === column) return line.subarray(start, end)
    if (last)
      throw new InvalidArgumentError(
        `Invalid number of columns in ${file.path} line ${i}: expected at least ${column + 1} got ${at + 1}`,
      )
    start = end + 1
  }
}

function number(token: Uint8Array, line: number, dtype: DType): number | bigint {
  const text = utf8(token) ?? ''
  const value =
    dtype === 'int32' ? parseInteger(text, 32) : dtype === 'int64' ? parseInteger(text, 64) : parseFloating(text)
  if (value === null)
    throw new InvalidArgumentError(`Field ${JSON.stringify(text)} in line ${line} is not a valid ${dtype}.`)
  return value
}
