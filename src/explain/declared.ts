import type { Nested } from '../engine/inputs.ts'
import { encode } from '../ops/text/bytes.ts'
import { stepsOf } from '../preprocess/expand.ts'
import type { Preprocess, Step } from '../preprocess/schema.ts'
import { compileStep, type Value } from '../preprocess/steps.ts'
import type { Followed } from './follow.ts'
import { bucketsStage } from './lookups.ts'
import { type Scalar, type Stage, textOf } from './stage.ts'

/** The steps of preprocess.json that make an input of a raw value, one after the other. */
export function followDeclared(declaration: Preprocess['inputs'][string], raw: Nested): Followed[] {
  let value: Value = bytesOf(raw)
  return stepsOf(declaration).map((step, i) => {
    const before = scalars(value)
    value = compileStep(step)(value)
    return { ...stageOf(step, before, scalars(value)), after: i === 0 ? [] : [i - 1] }
  })
}

function stageOf(step: Step, before: readonly Scalar[], values: readonly Scalar[]): Stage {
  switch (step.step) {
    case 'lookup': {
      const vocabulary = new Set(step.vocabulary as readonly string[])
      return {
        kind: 'lookup',
        table: 'preprocess.json',
        size: vocabulary.size,
        entries: before.map((key, i) => ({
          key,
          id: values[i],
          found: key === step.mask || vocabulary.has(String(key)),
        })),
      }
    }
    case 'hash':
      return {
        kind: 'hash',
        buckets: step.buckets,
        entries: before.map((key, i) => ({ key, bucket: Number(values[i]) })),
      }
    case 'buckets':
      return bucketsStage(before, values.map(Number), step.boundaries)
    default:
      return { kind: 'values', words: wordsOf(step), values }
  }
}

/** A step by its name and options: `truncate (length 14)`. */
function wordsOf({ step, ...options }: Step): string {
  const said = Object.entries(options)
    .filter(([name]) => name !== 'vocabulary')
    .map(([name, value]) => `${name.replaceAll('_', ' ')} ${typeof value === 'number' ? value : JSON.stringify(value)}`)
  return `${step.replaceAll('_', ' ')}${said.length === 0 ? '' : ` (${said.join(', ')})`}`
}

function bytesOf(raw: Nested): Value {
  if (typeof raw === 'string' || typeof raw === 'bigint') return encode(String(raw))
  if (typeof raw === 'boolean') return raw ? 1 : 0
  if (raw instanceof Uint8Array || typeof raw === 'number') return raw
  return Array.from<Nested, Uint8Array | number>(raw, (item) => bytesOf(item) as Uint8Array | number)
}

const scalars = (value: Value): Scalar[] =>
  (Array.isArray(value) ? value : value === undefined ? [] : [value]).map((item: Uint8Array | number) =>
    typeof item === 'number' ? item : textOf(item),
  )
