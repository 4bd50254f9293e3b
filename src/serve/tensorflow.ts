import type { Port } from '../graph/index.ts'
import { type Json, parseJson } from '../json/parse.ts'
import { jsonText } from '../json/text.ts'
import type { DType } from '../tensor/index.ts'
import { jsonOf, textOf } from './body.ts'
import { classificationsOf, examplesOf, regressionsOf } from './classify.ts'
import type { Models, ServedModel, Version, VersionChoice } from './models.ts'
import { readPredict, writePredict } from './predict.ts'
import { Refusal, wrongMethod } from './refusal.ts'
import type { Turn } from './turn.ts'
import { isMembers, type Members } from './values.ts'

// TensorFlow Serving's REST API, after its g3doc/api_rest.md, model_servers/http_rest_api_util.cc (paths),
// model_servers/http_rest_api_handler.cc (order of checks) and util/json_tensor.cc (bodies).

const PREDICTION = /^\/v1\/models\/([^/:]+)(?:\/versions\/(\d+)|\/labels\/([^/:]+))?:(classify|regress|predict)$/i
const STATUS = /^\/v1\/models(?:\/([^/:]+))?(?:\/versions\/(\d+)|\/labels\/([^/:]+))?(?:\/(metadata))?$/i
const LARGEST_VERSION = 2n ** 63n - 1n
/** Characters of a request that an error quotes at most. */
const QUOTED = 256

/**
 * Answers a request under /v1 with the text of a JSON body.
 * @param path as it stands in the request's first line, without the query
 * @throws {Refusal} and whatever the model throws
 */
export function answerTensorflow(models: Models, method: string, path: string, turn: Turn): string | Promise<string> {
  const malformed = () => new Refusal(400, `Malformed request: ${method} ${path}`)
  const notSo = (wanted: string) => wrongMethod(malformed().message, [wanted])
  if (method === 'POST') {
    const [matched, name, number, label, api] = PREDICTION.exec(path) ?? []
    if (matched === undefined) throw STATUS.test(path) ? notSo('GET') : malformed()
    const [model, choice] = [decoded(name), choiceOf(number, label)]
    if (api === 'predict') return predict(models, model, choice, turn)
    if (api === 'classify' || api === 'regress') return examine(models, model, choice, api, turn)
    throw malformed()
  }
  if (method === 'GET') {
    const [matched, name, number, label, resource] = STATUS.exec(path) ?? []
    if (matched === undefined) throw PREDICTION.test(path) ? notSo('POST') : malformed()
    const choice = choiceOf(number, label)
    if (name === undefined) throw new Refusal(400, 'Missing model name in request.')
    if (resource === 'metadata') return metadata(models.find(decoded(name), choice), decoded(name))
    return status(models.get(decoded(name)), decoded(name), choice)
  }
  throw notSo(PREDICTION.test(path) ? 'POST' : 'GET')
}

/** A name out of a path; what is no percent-encoding stays as it is. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function choiceOf(number: string | undefined, label: string | undefined): VersionChoice {
  if (number !== undefined) {
    if (BigInt(number) > LARGEST_VERSION) throw new Refusal(400, `Failed to convert version: ${number} to numeric.`)
    return { number: BigInt(number) }
  }
  return label === undefined ? {} : { label: decoded(label) }
}

interface Body {
  readonly body: Members
  /** The signature that it names, if any. */
  readonly signature: string | undefined
}

/** A request's body: an object. @throws {Refusal} where it is none */
function bodyOf(bytes: Uint8Array, integers?: 'bigints'): Body {
  if (bytes.length === 0) throw new Refusal(400, 'JSON Parse error: The document is empty')
  let body: Json
  try {
    body = integers === undefined ? jsonOf(bytes) : parseJson(textOf(bytes), integers)
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw new Refusal(400, `JSON Parse error: Invalid value. ${(error as Error).message}`)
  }
  if (!isMembers(body)) throw wrong(body, 'Is not object')
  const { signature_name: signature } = body
  if (signature !== undefined && typeof signature !== 'string')
    throw wrong(body, "not formatted correctly. 'signature_name' key must be a string value.")
  return { body, signature: signature === '' ? undefined : signature }
}

const wrong = (body: Json, problem: string) =>
  new Refusal(400, `JSON Value: ${jsonText(body).slice(0, QUOTED)} ${problem}`)

async function predict(models: Models, name: string, choice: VersionChoice, turn: Turn): Promise<string> {
  const { body, signature } = bodyOf(await turn.bytes())
  const version = models.find(name, choice)
  const { model } = version
  const { instances, inputs } = body
  if (signature !== undefined && !model.signatures.some((known) => known.name === signature))
    throw new Refusal(400, `Serving signature name: "${signature}" not found in signature def`)
  if (instances !== undefined && inputs !== undefined)
    throw wrong(body, "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist ")
  if (instances === undefined && inputs === undefined) throw new Refusal(400, "Missing 'inputs' or 'instances' key")
  if (instances !== undefined && !Array.isArray(instances))
    throw wrong(body, "Expecting 'instances' to be an list/array")
  if (Array.isArray(instances) && instances.length === 0) throw wrong(body, "No values in 'instances' array")
  // Columns that nobody asked for are passed over, as there; of rows every name counts.
  const known = inputs === undefined ? body : { ...body, inputs: columnsOf(inputs, model.rawInputs(signature)) }
  const request = readPredict(known, model)
  turn.decoded()
  // Awaited, because a promise that an async function returns costs it three turns.
  return await turn.run(version.signature(request.signature as string), request.inputs, (outputs) =>
    writePredict(outputs, request.layout),
  )
}

/** The columns of `ports`, where they are all there. */
const columnsOf = (inputs: Json, ports: readonly Port[]): Json =>
  isMembers(inputs) && ports.every(({ name }) => Object.hasOwn(inputs, name))
    ? Object.fromEntries(ports.map(({ name }) => [name, inputs[name]]))
    : inputs

/** classify and regress: tf.Examples to a signature that reads them (servables/tensorflow/classifier.cc, regressor.cc). */
async function examine(
  models: Models,
  name: string,
  choice: VersionChoice,
  api: 'classify' | 'regress',
  turn: Turn,
): Promise<string> {
  // There 1 is an int64 and 1.0 a float.
  const { body, signature: asked = 'serving_default' } = bodyOf(await turn.bytes(), 'bigints')
  const examples = examplesOf(body, (problem) => wrong(body, problem))
  const version = models.find(name, choice)
  const signature = version.model.signatures.find((known) => known.name === asked)
  if (signature === undefined) throw new Refusal(400, `No signature was found with the name: ${asked}`)
  const results = api === 'classify' ? classificationsOf(signature) : regressionsOf(signature)
  turn.decoded()
  return turn.run(version.signature(signature.name), { inputs: examples }, (outputs) =>
    results(outputs, examples.length),
  )
}

function status(model: ServedModel | undefined, name: string, { number }: VersionChoice): string {
  const all = model?.status ?? []
  const asked = number === undefined ? all : all.filter((version) => version.number === number)
  if (asked.length === 0)
    throw new Refusal(
      404,
      number === undefined
        ? `Could not find any versions of model ${name}`
        : `Could not find version ${number} of model ${name}`,
    )
  const versions = asked.map((version) => ({
    version: String(version.number),
    state: version.state,
    status: { error_code: version.problem === '' ? 'OK' : 'UNKNOWN', error_message: version.problem },
  }))
  return JSON.stringify({ model_version_status: versions }, null, 1)
}

function metadata(version: Version, name: string): string {
  const signatures = version.model.signatures.map(({ name, method, inputs, outputs }) => [
    name,
    { inputs: tensorInfos(inputs), outputs: tensorInfos(outputs), method_name: method, defaults: {} },
  ])
  const body = {
    model_spec: { name, signature_name: '', version: String(version.number) },
    metadata: { signature_def: { signature_def: Object.fromEntries(signatures) } },
  }
  return JSON.stringify(body, null, 1)
}

const tensorInfos = (ports: readonly Port[]): Record<string, unknown> =>
  Object.fromEntries(
    ports.map(({ name, dtype, shape }) => [
      name,
      {
        dtype: ENUMS[dtype],
        tensor_shape: {
          dim: (shape ?? []).map((dim) => ({ size: String(dim ?? -1), name: '' })),
          unknown_rank: shape === null,
        },
        // A tensor's name in its graph is not kept.
        name: '',
      },
    ]),
  )

/** tensorflow/core/framework/types.proto */
const ENUMS: Readonly<Record<DType, string>> = {
  float32: 'DT_FLOAT',
  float64: 'DT_DOUBLE',
  float16: 'DT_HALF',
  bfloat16: 'DT_BFLOAT16',
  int8: 'DT_INT8',
  int16: 'DT_INT16',
  int32: 'DT_INT32',
  int64: 'DT_INT64',
  uint8: 'DT_UINT8',
  uint16: 'DT_UINT16',
  uint32: 'DT_UINT32',
  uint64: 'DT_UINT64',
  bool: 'DT_BOOL',
  complex64: 'DT_COMPLEX64',
  complex128: 'DT_COMPLEX128',
  string: 'DT_STRING',
  resource: 'DT_RESOURCE',
  variant: 'DT_VARIANT',
  float8_e5m2: 'DT_FLOAT8_E5M2',
  float8_e4m3fn: 'DT_FLOAT8_E4M3FN',
  float8_e4m3fnuz: 'DT_FLOAT8_E4M3FNUZ',
  float8_e4m3b11fnuz: 'DT_FLOAT8_E4M3B11FNUZ',
  float8_e5m2fnuz: 'DT_FLOAT8_E5M2FNUZ',
  int4: 'DT_INT4',
  uint4: 'DT_UINT4',
  int2: 'DT_INT2',
  uint2: 'DT_UINT2',
}
