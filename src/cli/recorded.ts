import { readFile } from 'node:fs/promises'
import type { InputValue, Model } from '../engine/model.ts'
import { type Json, parseJson } from '../json/parse.ts'
import { readPredict } from '../serve/predict.ts'
import { isMembers, type Members, nested } from '../serve/values.ts'
import type { DType, Tensor } from '../tensor/index.ts'

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
 * @throws {TypeError} where the file is neither
 */
export async function readRecorded(file: string, model: Model): Promise<RecordedCase[]> {
  const text = await readFile(file, 'utf8')
  const whole = wholeFile(text)
  if (whole !== null && isMembers(whole) && Array.isArray(whole.cases))
    return whole.cases.map((item: Json, i: number) => golden(item, `${file} case ${i}`))
  return text
    .split('\n')
    .map((line, i) => ({ line, at: `${file}:${i + 1}` }))
    .filter(({ line }) => line.trim() !== '')
    .map(({ line, at }) => exchange(parseJson(line), at, model))
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
  const outputs = isMembers(item.outputs)
    ? Object.fromEntries(
        Object.entries(item.outputs).flatMap(([name, value]) =>
          isMembers(value) && Array.isArray(value.data) ? [[name, value.data as Json[]] as const] : [],
        ),
      )
    : null
  return { at, signature: typeof item.signature === 'string' ? item.signature : undefined, inputs, outputs }
}

/** A golden's tensor as nested lists of its shape. */
function tensorOf(value: Json, at: string): InputValue {
  if (!isMembers(value) || !Array.isArray(value.shape) || !Array.isArray(value.data))
    throw new TypeError(`${at} must be {dtype, shape, data}`)
  const { dtype, shape, data } = value as {
    readonly dtype: DType
    readonly shape: readonly number[]
    readonly data: readonly Json[]
  }
  const read = (element: Json) => {
    if (dtype === 'string' || typeof element !== 'string') return nested(element)
    return dtype.includes('int') ? BigInt(element) : Number(element)
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

function exchange(item: Json, at: string, model: Model): RecordedCase {
  const answer = isMembers(item) ? (item.predictions ?? item.outputs) : undefined
  if (!isMembers(item) || answer === undefined)
    throw new TypeError(`${at}: a line must hold a request and its "predictions" or "outputs"`)
  const { outputs: _, predictions: __, ...request } = item
  const { signature, inputs } = readPredict(request, model)
  const names = model.signature(signature).outputs.map((port) => port.name)
  return { at, signature, inputs, outputs: byOutput(answer, names, item.predictions !== undefined) }
}

/** A response's values by output, flat. */
function byOutput(answer: Json, names: readonly string[], inRows: boolean): Record<string, readonly Json[]> {
  if (names.length === 1 && !(isMembers(answer) && names[0] in answer)) return { [names[0]]: flat(answer) }
  if (inRows && Array.isArray(answer))
    return Object.fromEntries(names.map((name) => [name, answer.flatMap((row: Json) => flat((row as Members)[name]))]))
  return isMembers(answer) ? Object.fromEntries(Object.entries(answer).map(([name, value]) => [name, flat(value)])) : {}
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
