import type { Dim, Port } from '../graph/index.ts'
import {
  ARRAYS,
  type ArrayDType,
  type ComplexDType,
  type DataOf,
  type DType,
  describe,
  isBig,
  isFloat,
  isHalf,
  partOf,
  type ReadDType,
  rounded,
  type Shape,
  Strings,
  sizeOf,
  type Tensor,
  type TypedArray,
  zeros,
} from '../tensor/index.ts'

/** One element of an input's nested lists. */
export type Element = string | number | bigint | boolean | Uint8Array
/** A tensor as nested lists, the innermost of which may be typed arrays. */
export type Nested = Element | TypedArray | readonly Nested[]

/** A tensor of dtype `D` as callers give and get it: row-major `data`, of strings text or, where one is not UTF-8, bytes. */
interface PublicTensorOf<D extends ReadDType> {
  readonly dtype: D
  readonly shape: Shape
  readonly data: D extends 'string' ? readonly string[] | readonly Uint8Array[] : DataOf[D]
}

/**
 * A tensor as callers give and get it. Its `dtype` tells which array `data` is: int64's is BigInt64Array, bool's Uint8Array.
 * complex64's is a Float32Array, complex128's a Float64Array, of each number the real part and then the imaginary.
 */
export type PublicTensor = { [D in Given]: PublicTensorOf<D> }[Given]
type Given = ArrayDType | ComplexDType | 'string'

/** What may be given for an input: nested lists, a typed array of the signature's shape, a list of them, or a tensor. */
export type InputValue = Nested | PublicTensor

/** Values by input name. */
export type Features = Readonly<Record<string, InputValue>>

/** Declared preprocessing (src/preprocess), which turns raw features into a signature's inputs. */
export interface Preparation {
  /** The raw features that stand for `ports`. */
  features(ports: readonly Port[]): readonly Port[]
  apply(raw: Features, ports: readonly Port[]): Features
}

/** Inputs as they come. */
export const NO_PREPARATION: Preparation = { features: (ports) => ports, apply: (raw) => raw }

/**
 * The tensors for `ports`, in order, out of `values` by name.
 * @throws {RangeError} for a missing or unknown name, or a shape or value that does not fit
 * @throws {TypeError} for a value of the wrong kind
 */
export function bindInputs(
  ports: readonly Port[],
  values: Readonly<Record<string, InputValue>>,
  signature: string,
): Tensor[] {
  let given = 0
  const tensors = ports.map((port) => {
    // Not by looking it up alone: an input may be called `constructor`.
    if (Object.hasOwn(values, port.name)) {
      given++
      return toTensor(values[port.name], port)
    }
    if (port.fallback !== undefined) return port.fallback
    refuseOthers(ports, values, signature)
    throw new RangeError(`input "${port.name}" is missing: signature "${signature}" takes ${list(ports)}`)
  })
  // Each is looked for among the ports only where there are more: of a thousand that takes longer than all else.
  if (Object.keys(values).length !== given) refuseOthers(ports, values, signature)
  return tensors
}

function refuseOthers(ports: readonly Port[], values: object, signature: string): void {
  const other = Object.keys(values).find((name) => !ports.some((port) => port.name === name))
  if (other !== undefined)
    throw new RangeError(`signature "${signature}" has no input "${other}"; its inputs are ${list(ports)}`)
}

const list = (ports: readonly Port[]): string =>
  ports.map((port) => `"${port.name}" ${describe(port)}`).join(', ') || 'no inputs'

/**
 * `value` as the tensor that `port` declares.
 * @throws {TypeError} for an element or array of another kind than the port's dtype
 * @throws {RangeError} for ragged lists, a shape that does not fit, a number that the dtype cannot hold
 */
export function toTensor(value: InputValue, port: Port): Tensor {
  const made = isTensor(value)
    ? fromTensor(value, port)
    : ArrayBuffer.isView(value) && !(value instanceof Uint8Array && port.dtype === 'string')
      ? fromArray(value as TypedArray, port)
      : fromLists(value as Nested, port)
  if (!fits(made.shape, port.shape)) {
    throw new RangeError(`input "${port.name}" must be ${describe(port)}, got the shape [${made.shape.join(', ')}]`)
  }
  return made
}

const fits = (shape: readonly number[], wanted: readonly Dim[] | null): boolean =>
  wanted === null || (wanted.length === shape.length && wanted.every((dim, i) => dim === null || dim === shape[i]))

const isTensor = (value: InputValue): value is PublicTensor =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value) && 'dtype' in value

function fromTensor(value: PublicTensor, port: Port): Tensor {
  const { dtype, shape, data } = value
  const wrong = (why: string) => new TypeError(`input "${port.name}" must be ${describe(port)}, got ${why}`)
  if (dtype !== port.dtype) throw wrong(`${dtype}`)
  if (!Array.isArray(shape) || !shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0))
    throw wrong(`the shape ${JSON.stringify(shape)}`)
  const strings =
    dtype === 'string'
      ? data instanceof Strings
        ? data
        : Array.isArray(data)
          ? Strings.from(data as string[])
          : null
      : null
  const part = partOf(dtype)
  const fit = dtype === 'string' ? strings !== null : data instanceof ARRAYS[part as ArrayDType]
  if (!fit) throw wrong(`data of ${Object.prototype.toString.call(data).slice(8, -1)}`)
  // A complex number is two of the array's.
  const length = (data as ArrayLike<unknown>).length / (part === dtype ? 1 : 2)
  if (length !== sizeOf(shape))
    throw new RangeError(
      `input "${port.name}": the shape [${shape}] asks for ${sizeOf(shape)} elements, data has ${length}`,
    )
  // Plans are kept by shape: the caller may change his list.
  return { dtype, shape: shape.slice(), data: strings ?? taken(port, data as TypedArray) } as Tensor
}

/** The caller's own array, which a run only reads; or a rounded copy, for the dtypes that are computed in float32. */
function taken({ name, dtype }: Port, values: TypedArray): TypedArray {
  if (isHalf(dtype)) return rounded(dtype, values.slice())
  const other = dtype === 'bool' ? (values as Uint8Array).find((value) => value > 1) : undefined
  if (other !== undefined) throw new RangeError(`input "${name}": ${other} is not a value of bool`)
  return values
}

/** A typed array takes the port's shape; its one unknown dimension is what the length leaves. */
function fromArray(value: TypedArray, port: Port): Tensor {
  const wanted = ARRAYS[port.dtype as ArrayDType]
  if (wanted === undefined || !(value instanceof wanted)) {
    throw new TypeError(`input "${port.name}" must be ${describe(port)}, got a ${value.constructor.name}`)
  }
  const dims = port.shape
  const unknown = dims?.filter((dim) => dim === null).length ?? 2
  if (dims === null || unknown > 1) {
    throw new RangeError(
      `input "${port.name}" is ${describe(port)}: a typed array leaves its shape open, give { dtype, shape, data }`,
    )
  }
  const known = dims.reduce<number>((product, dim) => product * (dim ?? 1), 1)
  const rest = unknown === 0 ? 1 : value.length / known
  if (!Number.isInteger(rest) || known * rest !== value.length) {
    throw new RangeError(`input "${port.name}" is ${describe(port)}: ${value.length} elements do not fill it`)
  }
  return {
    dtype: port.dtype,
    shape: dims.map((dim) => dim ?? rest),
    data: taken(port, value),
  } as Tensor
}

function fromLists(value: Nested, port: Port): Tensor {
  const shape: number[] = []
  // An empty list ends the known dimensions; what the port says of the inner ones holds, and where it leaves one open, it is 1:
  // a recurrent layer of no steps TensorFlow refuses, for no rows too. Not level[0]: where that meets lists of lists and of
  // numbers, V8 makes an object of each number, of all rows.
  for (let level: Nested = value; isList(level, port); level = level.at(0) as Nested) {
    shape.push(level.length)
    if (level.length === 0) {
      for (const dim of (port.shape ?? []).slice(shape.length)) shape.push(dim ?? 1)
      break
    }
  }
  const { dtype } = port
  if (dtype === 'string') {
    const elements: (string | Uint8Array)[] = []
    eachRow(value, shape, 0, port, (row) => {
      for (const element of row) elements.push(stringOf(element, port))
    })
    return { dtype, shape, data: Strings.from(elements) }
  }
  if (ARRAYS[dtype as ArrayDType] === undefined)
    throw new TypeError(`input "${port.name}" is a ${dtype}: it cannot be given by lists`)
  const data = zeros(dtype as ArrayDType, sizeOf(shape)) as TypedArray
  let at = 0
  eachRow(value, shape, 0, port, (row) => {
    if (data instanceof Float32Array) putFloats(row, data, at, port)
    else for (const [i, element] of row.entries()) data[at + i] = (isBig(dtype) ? bigOf : numberOf)(element, port)
    at += row.length
  })
  return { dtype, shape, data: rounded(dtype, data) } as Tensor
}

/** Rows of floats come by the thousand a second: a loop over one kind of array, not a call for each number. */
function putFloats(row: readonly Nested[], data: Float32Array, at: number, port: Port): void {
  for (let i = 0; i < row.length; i++) {
    const element = row[i]
    data[at + i] = typeof element === 'number' ? element : numberOf(element, port)
  }
}

/** For strings, bytes are one. */
const isList = (value: Nested, { dtype }: Port): value is readonly Nested[] =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof Uint8Array && dtype === 'string'))

/** Visits the innermost lists in order; a scalar is a list of one. @throws {RangeError} where lists of one level differ in length */
function eachRow(
  value: Nested,
  shape: readonly number[],
  depth: number,
  port: Port,
  visit: (row: readonly Nested[]) => void,
): void {
  const isRow = isList(value, port)
  if (isRow ? value.length !== shape[depth] : shape.length > depth) throw ragged(port)
  if (!isRow) visit([value])
  else if (depth === shape.length - 1) visit(value)
  else for (const item of value) eachRow(item as Nested, shape, depth + 1, port, visit)
}

const ragged = (port: Port) =>
  new RangeError(
    `input "${port.name}" must be ${describe(port)}: its lists are ragged, all of one level must have one length`,
  )

const wrongKind = (element: unknown, port: Port) =>
  Array.isArray(element) || ArrayBuffer.isView(element)
    ? ragged(port)
    : new TypeError(
        `input "${port.name}" must be ${describe(port)}, got ${element === null ? 'null' : typeof element === 'string' ? `the string ${JSON.stringify(element.slice(0, 40))}` : typeof element === 'object' ? 'an object' : `the ${typeof element} ${String(element)}`}`,
      )

function stringOf(element: Nested, port: Port): string | Uint8Array {
  if (typeof element === 'string' || element instanceof Uint8Array) return element
  throw wrongKind(element, port)
}

function bigOf(element: Nested, port: Port): bigint {
  const isWhole = typeof element === 'number' && Number.isInteger(element)
  if (isWhole && !Number.isSafeInteger(element))
    throw new RangeError(`input "${port.name}": ${element} is not exact: give a bigint`)
  const value = isWhole ? BigInt(element) : element
  if (typeof value !== 'bigint') throw wrongKind(element, port)
  const held = port.dtype === 'int64' ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value)
  if (held !== value) throw new RangeError(`input "${port.name}": ${value} is not a value of ${port.dtype}`)
  return value
}

function numberOf(element: Nested, port: Port): number {
  if (port.dtype === 'bool') {
    if (typeof element !== 'boolean') throw wrongKind(element, port)
    return element ? 1 : 0
  }
  const value = typeof element === 'bigint' ? Number(element) : element
  if (typeof value !== 'number') throw wrongKind(element, port)
  if (isFloat(port.dtype)) return value
  if (!Number.isInteger(value)) throw new TypeError(`input "${port.name}" must be ${describe(port)}, got ${value}`)
  const [low, high] = LIMITS[port.dtype] as readonly [number, number]
  if (value < low || value > high)
    throw new RangeError(`input "${port.name}": ${element} is not a value of ${port.dtype}`)
  return value
}

const LIMITS: { readonly [D in DType]?: readonly [number, number] } = {
  int8: [-128, 127],
  int16: [-32768, 32767],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint8: [0, 255],
  uint16: [0, 65535],
  uint32: [0, 2 ** 32 - 1],
}

/** Its own slice() does the same in twice the time, and a constructor that is looked up takes longer than one that is named. */
function copied(values: TypedArray): TypedArray {
  if (values instanceof Float32Array) {
    const copy = new Float32Array(values.length)
    copy.set(values)
    return copy
  }
  const copy = new (values.constructor as new (length: number) => TypedArray)(values.length)
  copy.set(values as never)
  return copy
}

/** `t` as callers get it: an array of their own. */
export function toPublic(t: Tensor): PublicTensor {
  if (t.dtype !== 'string') {
    if (t.dtype === 'resource' || t.dtype === 'variant') throw new TypeError(`a ${t.dtype} cannot be given out`)
    return { dtype: t.dtype, shape: t.shape.slice(), data: copied(t.data) } as PublicTensor
  }
  const values = t.data.values()
  const text = values.every((value) => typeof value === 'string')
  const data = text
    ? (values as string[])
    : values.map((value) => (typeof value === 'string' ? new TextEncoder().encode(value) : value))
  return { dtype: 'string', shape: t.shape.slice(), data }
}
