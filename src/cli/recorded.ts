import type { InputValue, Model } from '../engine/model.ts'
import { type Json, parseJson } from '../json/parse.ts'
import { readPredict } from '../serve/predict.ts'
import { isMembers, type Members, nested } from '../serve/values.ts'
import { type DType, isComplex, sizeOf, type Tensor } from '../tensor/index.ts'
import { readText } from './stdio.ts'

/** One recorded answer: what was asked, and what came or that it was refused. */
export interface RecordedCase {
  readonly at: string
  readonly signature: string | undefined
  readonly inputs: Readonly<Record<string, InputValue>>
  /** Flat values by output; null where the recording is a refusal. */
  readonly outputs: Readonly<Record<string, readonly Json[]>> | null
}

/**
 * Recorded answers out of a file: goldens, `{"cases": [{"signature", "inputs": {name: {dtype, shape, data}}, "outputs" |
 * "error"}]}`, or predict requests with their responses, one JSON object a line, `{"instances" | "inputs", "predictions" |
 * "outputs"}`.
 *
 * @throws {TypeError} where the file is neither: what cannot be read is never passed over, so that nothing counts as equal unseen
 */
export async function readRecorded(file: string, model: Model): Promise<RecordedCase[]> {
  const text = await readText(file)
  const whole = wholeFile(text)
  if (whole !== null && isMembers(whole) && Array.isArray(whole.cases))
    return whole.cases.map((item: Json, i: number) => golden(item, `${file} case ${i}`))
  return text
    .split('\n')
    .map((line, i) => ({ line, at: `${file}:${i + 1}` }))
    .filter(({ line }) => line.trim() !== '')
    .map(({ line, at }) => exchangeAt(at, line, model))
}

function wholeFile(text: string): Json {
  try {
    return parseJson(text)
  } catch {
    return null
  }
}

function golden(item: Json, at: string): RecordedCase {
  if (!isMembers(item) || !isMembers(item.inputs)) throw new TypeError(`${at}: a case must have "inputs"`)
  const inputs: Record<string, InputValue> = Object.create(null)
  for (const [name, value] of Object.entries(item.inputs)) inputs[name] = tensorOf(value, `${at}, input "${name}"`)
  const { signature, outputs = null } = item
  if (outputs !== null && !isMembers(outputs))
    throw new TypeError(`${at}: "outputs" must be an object of tensors by name`)
  return {
    at,
    signature: typeof signature === 'string' ? signature : undefined,
    inputs,
    outputs:
      outputs && Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, dataOf(value, name, at)])),
  }
}

function dataOf(value: Json, name: string, at: string): readonly Json[] {
  if (isMembers(value) && Array.isArray(value.data)) return value.data
  throw new TypeError(`${at}, output "${name}" must have a flat list of its values as "data"`)
}

/** A golden's tensor as nested lists of its shape; of complex numbers, whose data are pairs, a tensor. @throws {TypeError} where it has another number of elements than that */
function tensorOf(value: Json, at: string): InputValue {
  const { dtype, shape, data } = isMembers(value) ? value : {}
  if (typeof dtype !== 'string' || !isShape(shape) || !Array.isArray(data))
    throw new TypeError(`${at} must be {"dtype", "shape", "data"}, the data flat`)
  const isPairs = isComplex(dtype as DType)
  const size = sizeOf(shape) * (isPairs ? 2 : 1)
  if (data.length !== size)
    throw new TypeError(`${at}: the shape [${shape}] asks for ${size} elements, data has ${data.length}`)
  if (isPairs) {
    const numbers = dtype === 'complex64' ? Float32Array.from(data, Number) : Float64Array.from(data, Number)
    return { dtype, shape, data: numbers } as InputValue
  }
  const read = (element: Json) => {
    if (dtype === 'string' || typeof element !== 'string') return nested(element)
    if (!dtype.includes('int')) return Number(element)
    if (!/^-?\d+$/.test(element)) throw new TypeError(`${at} is ${dtype}, got ${JSON.stringify(element)}`)
    return BigInt(element)
  }
  const build = (axis: number, start: number, size: number): InputValue => {
    if (axis === shape.length) return read(data[start])
    const step = size / Math.max(1, shape[axis])
    return Array.from({ length: shape[axis] }, (_, i) =>
      build(axis + 1, start + i * step, step),
    ) as unknown as InputValue
  }
  return build(0, 0, data.length)
}

const isShape = (value: Json | undefined): value is number[] =>
  Array.isArray(value) && value.every((dim) => Number.isSafeInteger(dim) && dim >= 0)

/** @throws {TypeError} that says where, whatever is wrong with the line */
function exchangeAt(at: string, line: string, model: Model): RecordedCase {
  try {
    return { at, ...exchange(parseJson(line), model) }
  } catch (error) {
    throw new TypeError(`${at}: ${(error as Error).message}`)
  }
}

function exchange(item: Json, model: Model): Omit<RecordedCase, 'at'> {
  const answer = isMembers(item) ? (item.predictions ?? item.outputs) : undefined
  if (!isMembers(item) || answer === undefined)
    throw new TypeError(`a line must hold a request and its "predictions" or "outputs"`)
  const { outputs: _, predictions: __, ...request } = item
  const { signature, inputs } = readPredict(request, model)
  const names = model.signature(signature).outputs.map((port) => port.name)
  const outputs = byOutput(answer, names, item.predictions !== undefined)
  if (outputs === null) {
    const wanted = names.map((name) => JSON.stringify(name)).join(', ')
    throw new TypeError(`the answer must have the outputs of signature "${signature}" by name: ${wanted}`)
  }
  return { signature, inputs, outputs }
}

/** A response's values by output, flat; null where it does not name them and there are several. */
function byOutput(answer: Json, names: readonly string[], inRows: boolean): Record<string, readonly Json[]> | null {
  if (names.length === 1 && !(isMembers(answer) && names[0] in answer)) return { [names[0]]: flat(answer) }
  if (!inRows)
    return isMembers(answer)
      ? Object.fromEntries(Object.entries(answer).map(([name, value]) => [name, flat(value)]))
      : null
  const rows = Array.isArray(answer) ? (answer as Json[]) : []
  if (rows.length === 0 || !rows.every((row): row is Members => isMembers(row) && names.every((name) => name in row)))
    return null
  return Object.fromEntries(names.map((name) => [name, rows.flatMap((row) => flat(row[name]))]))
}

const flat = (value: Json): Json[] => (Array.isArray(value) ? value.flatMap(flat) : [value])

/** The elements of `t` as a recording writes them. */
export function elementsOf(t: Tensor): Json[] {
  if (t.dtype === 'string') return Array.from({ length: t.data.length }, (_, i) => bytesKey(t.data.at(i)))
  return Array.from(t.data as ArrayLike<number | bigint>)
}

const bytesKey = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')

/** A recorded string as `elementsOf` has it: its bytes as Latin-1 text. */
export function stringKey(value: Json): string {
  if (isMembers(value) && typeof value.b64 === 'string') return atob(value.b64)
  return bytesKey(new TextEncoder().encode(String(value)))
}
