import type { InputValue, Model, Nested } from '../engine/model.ts'
import type { Port } from '../graph/index.ts'
import type { Json } from '../json/parse.ts'
import { float32Text, float64Text, withPoint } from '../json/text.ts'
import { floatList } from '../json/utf8.ts'
import { type BigArray, isComplex, isNumeric, type NumberArray, sizeOf, type Tensor, utf8 } from '../tensor/index.ts'
import { assembled, type Output, raggedText } from './assembled.ts'
import { refuseOverflow } from './floats.ts'
import { columnsOf, type Row } from './rows.ts'
import { isBytes, isMembers, type Members, nested } from './values.ts'
import { openInstance } from './vertex.ts'

// TensorFlow Serving's predict body (tensorflow_serving/util/json_tensor.cc): rows in `instances`, columns in `inputs`.

/** A request that names what to run on which values, and how the answer is laid out. */
export interface PredictRequest {
  readonly signature: string | undefined
  readonly inputs: Readonly<Record<string, InputValue>>
  readonly layout: 'rows' | 'columns'
}

/**
 * Reads a predict body for `model`.
 * @param byDefault the signature of a request that names none
 * @throws {TypeError} where it is not an object with either `inputs` or `instances`
 * @throws {RangeError} where instances do not go together or a name is unknown
 */
export function readPredict(body: Json, model: Model, byDefault?: string): PredictRequest {
  if (!isMembers(body)) throw new TypeError('the request must be a JSON object with "inputs" or "instances"')
  const { signature_name: named } = body
  if (named !== undefined && typeof named !== 'string') throw new TypeError('"signature_name" must be a string')
  const signature = model.signature(named === undefined || named === '' ? byDefault : named)
  if (body.instances !== undefined && body.inputs !== undefined)
    throw new TypeError('give "inputs" or "instances", not both')
  const ports = model.rawInputs(signature.name)
  if (body.instances !== undefined)
    return { signature: signature.name, inputs: held(columns(body.instances, ports), ports), layout: 'rows' }
  if (body.inputs === undefined) throw new TypeError('the request has neither "inputs" nor "instances"')
  return { signature: signature.name, inputs: held(byName(body.inputs, ports), ports), layout: 'columns' }
}

/** `inputs`, where floats can hold them. @throws {RangeError} for a finite number that would become infinite */
function held(inputs: Readonly<Record<string, InputValue>>, ports: readonly Port[]): typeof inputs {
  for (const { name, dtype } of ports)
    if (dtype === 'float32' && Object.hasOwn(inputs, name)) refuseOverflow(inputs[name] as Nested, `input "${name}"`)
  return inputs
}

/** Columns by name; a bare value is the only input's. */
function byName(inputs: Json, ports: readonly Port[]): Record<string, InputValue> {
  if (isMembers(inputs) && !isBytes(inputs)) {
    return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, nested(value, name)]))
  }
  if (ports.length !== 1) throw new RangeError(`"inputs" must name each of ${quoted(ports)}`)
  return { [ports[0].name]: nested(inputs, ports[0].name) }
}

/** Rows turned into columns: every instance has the same names, or is the only input's bare value. */
function columns(instances: Json, ports: readonly Port[]): Readonly<Record<string, InputValue>> {
  if (!Array.isArray(instances)) throw new TypeError('"instances" must be a list')
  const names = ports.map((port) => port.name)
  const rows = instances.map((row: Json) => (isMembers(row) && !isBytes(row) ? openInstance(row, names).features : row))
  const decoded = rows.some((row, i) => row !== instances[i])
  if (rows.length === 0) throw new RangeError('"instances" is empty')
  const named = rows.filter((row) => isMembers(row) && !isBytes(row)).length
  if (named === 0) {
    if (ports.length !== 1) throw new RangeError(`each instance must be an object that names ${quoted(ports)}`)
    return { [ports[0].name]: rows.map((row) => nested(row, ports[0].name)) }
  }
  if (named !== rows.length) throw new TypeError('instances must all be objects, or all bare values')
  // Vertex writes one value as a list of one, and may send features that this model does not take.
  if (decoded) return columnsOf(rows as Row[], ports)
  const given = Object.keys(rows[0] as Members)
  const found = new Map(given.map((name) => [name, [] as Nested[]]))
  rows.forEach((row, i) => {
    const own = Object.keys(row as Members)
    if (own.length !== given.length || !own.every((name) => found.has(name))) {
      throw new RangeError(
        `instance ${i} has ${own.map((n) => `"${n}"`).join(', ') || 'no values'}, the first has ${given.map((n) => `"${n}"`).join(', ')}`,
      )
    }
    for (const [name, values] of found) values.push(nested((row as Members)[name], name))
  })
  return Object.fromEntries(found)
}

const quoted = (ports: readonly Port[]): string => ports.map((port) => `"${port.name}"`).join(', ') || 'no inputs'

/**
 * The response of a run in the request's layout, as JSON text: a ragged output as nested lists, a sparse one as an object of
 * its parts.
 * @throws {RangeError} for rows of outputs that have no rows
 */
export function writePredict(outputs: Readonly<Record<string, Tensor>>, layout: PredictRequest['layout']): string {
  if (layout === 'rows') return `{"predictions": [${writeRows(outputs).join(', ')}]}`
  const all = assembled(outputs)
  if (all.length === 1) return `{"outputs": ${whole(all[0])}}`
  return `{"outputs": {${all.map((output) => `${JSON.stringify(output.name)}: ${whole(output)}`).join(', ')}}}`
}

/** All of an output. */
function whole(output: Output): string {
  if (output.kind === 'dense') return text(output.tensor, output.name)
  if (output.kind === 'ragged') return `[${rowsOf(output).join(', ')}]`
  const parts = Object.entries(output.parts).map(([part, t]) => `${JSON.stringify(part)}: ${text(t, output.name)}`)
  return `{${parts.join(', ')}}`
}

/** Each row of an output. @throws {RangeError} for one that has none */
function rowsOf(output: Output): string[] {
  const { name } = output
  if (output.kind === 'ragged') {
    const write = rowWriter(output.values, name)
    const count = Math.max(0, output.splits[0].length - 1)
    return Array.from({ length: count }, (_, row) => raggedText(output.splits, row, write))
  }
  if (output.kind === 'sparse' || output.tensor.shape.length === 0) {
    const what = output.kind === 'sparse' ? 'is sparse' : 'has the shape []'
    throw new RangeError(`output "${name}" ${what}: it is not one row an instance; ask with "inputs"`)
  }
  const write = rowWriter(output.tensor, name)
  return Array.from({ length: output.tensor.shape[0] }, (_, row) => write(row))
}

/** Each row as JSON text: the bare value of the only output, or an object. @throws {RangeError} for outputs that have no rows */
export function writeRows(outputs: Readonly<Record<string, Tensor>>): string[] {
  const all = assembled(outputs).map((output) => ({ name: output.name, rows: rowsOf(output) }))
  const batch = all[0]?.rows.length ?? 0
  for (const { name, rows } of all) {
    if (rows.length !== batch) {
      throw new RangeError(
        `output "${name}" has ${rows.length} rows and "${all[0].name}" ${batch}: they are not one row an instance; ask with "inputs"`,
      )
    }
  }
  return Array.from({ length: batch }, (_, i) =>
    all.length === 1
      ? all[0].rows[i]
      : `{${all.map(({ name, rows }) => `${JSON.stringify(name)}: ${rows[i]}`).join(', ')}}`,
  )
}

/** A tensor as nested lists. */
export const text = (t: Tensor, name: string): string => dims(t.shape, 0, writer(t, name))

function rowWriter(t: Tensor, name: string): (row: number) => string {
  const shape = t.shape.slice(1)
  const [size, write] = [sizeOf(shape), writer(t, name)]
  return (row) => dims(shape, row * size, write)
}

/** How elements are written. */
interface ElementWriter {
  one(i: number): string
  /** The list of elements `from` up to `to`. */
  list(from: number, to: number): string
}

function dims(shape: readonly number[], start: number, write: ElementWriter): string {
  if (shape.length === 0) return write.one(start)
  const [count, ...inner] = shape
  if (inner.length === 0) return write.list(start, start + count)
  const step = sizeOf(inner)
  return `[${Array.from({ length: count }, (_, i) => dims(inner, start + i * step, write)).join(', ')}]`
}

function writer(t: Tensor, name: string): ElementWriter {
  if (t.dtype === 'float32' || t.dtype === 'float16' || t.dtype === 'bfloat16') {
    const { data } = t
    return {
      one: (i) => withPoint(float32Text(data[i])),
      list: (from, to) => floatList(data.subarray(from, to), true),
    }
  }
  const one = elementText(t, name)
  return {
    one,
    list: (from, to) => `[${Array.from({ length: to - from }, (_, i) => one(from + i)).join(', ')}]`,
  }
}

/** How one element is written. Strings of an output named `…_bytes`, and those that are not UTF-8, are {"b64"}. */
function elementText(t: Tensor, name: string): (i: number) => string {
  if (t.dtype === 'string') {
    const { data } = t
    const asBytes = name.endsWith('_bytes')
    return (i) => {
      const plain = asBytes ? null : utf8(data.at(i))
      return plain === null ? `{"b64": "${base64(data.at(i))}"}` : JSON.stringify(plain)
    }
  }
  if (isComplex(t.dtype))
    throw new TypeError(
      `output "${name}" is a ${t.dtype}, which TensorFlow's JSON has no form for: run the model in JavaScript, or export the parts as outputs (tf.math.real, tf.math.imag)`,
    )
  if (!isNumeric(t)) throw new TypeError(`output "${name}" is a ${t.dtype}: it cannot be written as JSON`)
  if (t.dtype === 'bool') return (i) => (t.data[i] === 0 ? 'false' : 'true')
  const data = t.data as NumberArray | BigArray
  if (t.dtype === 'float64') return (i) => withPoint(float64Text(data[i] as number))
  return (i) => String(data[i])
}

export function base64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}
