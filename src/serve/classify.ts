import type { SignatureInfo } from '../engine/model.ts'
import type { Json } from '../json/parse.ts'
import { float32Text, withPoint } from '../json/text.ts'
import { Strings, type Tensor, utf8 } from '../tensor/index.ts'
import { exampleOf } from './example.ts'
import { Refusal } from './refusal.ts'
import type { Members } from './values.ts'

/** Writes what a signature gave for so many examples. */
export type ResultsWriter = (outputs: Readonly<Record<string, Tensor>>, examples: number) => string

type Wrong = (problem: string) => Refusal

/**
 * The serialized tf.Examples of a classify or regress body; the features of its `context` are each example's too.
 * @throws {Refusal} for a body without examples, or a value that no feature can hold
 */
export function examplesOf(body: Members, wrong: Wrong): readonly Uint8Array[] {
  const context = body.context === undefined ? null : exampleOf(body.context)
  const { examples } = body
  if (examples === undefined) throw wrong("When method is classify, key 'examples' is expected and was not found")
  if (!Array.isArray(examples)) throw wrong("Expecting 'examples' value to be an list/array")
  if (examples.length === 0) throw wrong("'examples' value is an empty array")
  return examples.map((example: Json) => {
    const own = exampleOf(example)
    if (context === null) return own
    // Messages one after the other are merged when they are read.
    const both = new Uint8Array(context.length + own.length)
    both.set(context)
    both.set(own, context.length)
    return both
  })
}

const refuse = (message: string) => new Refusal(400, message)

function checkInputs({ inputs }: SignatureInfo, kind: string): void {
  if (inputs.length !== 1) throw refuse('Expected one input Tensor.')
  if (inputs[0].name !== 'inputs')
    throw refuse(`No ${kind} inputs found in SignatureDef: its input is "${inputs[0].name}", not "inputs"`)
}

/** Labels and scores of each example (servables/tensorflow/classifier.cc). */
export function classificationsOf(signature: SignatureInfo): ResultsWriter {
  checkInputs(signature, 'classification')
  const { outputs } = signature
  if (outputs.length !== 1 && outputs.length !== 2)
    throw refuse(`Expected one or two output Tensors, found ${outputs.length}`)
  if (!outputs.some(({ name }) => name === 'classes' || name === 'scores')) {
    const names = outputs.map(({ name }) => `"${name}"`).join(', ')
    throw refuse(
      `Expected classification signature outputs to contain at least one of "classes" or "scores". Signature was: ${names}`,
    )
  }
  return ({ classes, scores }, examples) => {
    for (const [name, tensor, dtype] of [
      ['classes', classes, 'string'],
      ['scores', scores, 'float32'],
    ] as const) {
      if (tensor === undefined) continue
      if (tensor.shape.length !== 2)
        throw refuse(`Expected Tensor shape: [batch_size num_classes] but got [${tensor.shape.join(',')}]`)
      if (tensor.dtype !== dtype) throw refuse(`Expected ${name} Tensor of ${dtype}. Got: ${tensor.dtype}`)
      if (tensor.shape[0] !== examples)
        throw refuse(`Expected ${name} output batch size of ${examples}. Got: ${tensor.shape[0]}`)
    }
    const width = (classes ?? scores).shape[1]
    if (classes !== undefined && scores !== undefined && scores.shape[1] !== width)
      throw refuse(`Tensors class and score should match in dim_size(1). Got ${width} vs. ${scores.shape[1]}`)
    const label = (i: number) => (classes?.data instanceof Strings ? labelText(classes.data.at(i)) : '""')
    const score = (i: number) => (scores?.data instanceof Float32Array ? withPoint(float32Text(scores.data[i])) : '0.0')
    const rows = Array.from({ length: examples }, (_, row) => {
      const pairs = Array.from({ length: width }, (_, i) => `[${label(row * width + i)}, ${score(row * width + i)}]`)
      return `[${pairs.join(', ')}]`
    })
    return `{"results": [${rows.join(', ')}]}`
  }
}

const labelText = (bytes: Uint8Array): string => JSON.stringify(utf8(bytes) ?? new TextDecoder().decode(bytes))

/** One value an example (servables/tensorflow/regressor.cc). */
export function regressionsOf(signature: SignatureInfo): ResultsWriter {
  checkInputs(signature, 'regression')
  if (signature.outputs.length !== 1) throw refuse('Expected one output Tensor.')
  if (signature.outputs[0].name !== 'outputs')
    throw refuse(
      `No regression outputs found in SignatureDef: its output is "${signature.outputs[0].name}", not "outputs"`,
    )
  return ({ outputs }, examples) => {
    const { shape, dtype, data } = outputs
    if (!(shape.length === 1 || (shape.length === 2 && shape[1] === 1)))
      throw refuse(
        `Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got [${shape.join(',')}]`,
      )
    if (shape[0] !== examples)
      throw refuse(`Input batch size did not match output batch size: ${examples} vs. ${shape[0]}`)
    if (!(dtype === 'float32' && data instanceof Float32Array))
      throw refuse(`Expected output Tensor of DT_FLOAT.  Got: ${dtype}`)
    return `{"results": [${Array.from(data, (value) => withPoint(float32Text(value))).join(', ')}]}`
  }
}
