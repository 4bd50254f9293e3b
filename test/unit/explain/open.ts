import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { define } from '../../../src/define.ts'
import { type Explanation, explain, type Question } from '../../../src/explain/explain.ts'
import type { ExplainedInput } from '../../../src/explain/part.ts'
import type { Stage } from '../../../src/explain/stage.ts'
import { loadAllOps } from '../../../src/ops/all.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

export const fixture = (name: string): string => `${root}test/fixtures/models/${name}`
export const demo = `${root}weights/demo`

/** What `explain` says of a model. */
export async function explaining(...[source, options]: Parameters<typeof define>) {
  const [definition, ops] = [await define(source, options), await loadAllOps()]
  return (question: Question): Explanation => explain(definition, question, ops)
}

interface Recorded {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly data: readonly (string | number | { readonly b64: string })[]
}

/** TensorFlow's answers for a fixture, row by row: the inputs as features of one row, the outputs' rows. */
export function rowsOf(golden: string, inputs: readonly string[]) {
  const text = readFileSync(`${root}test/fixtures/goldens/${golden}.json`, 'utf8')
  const { cases } = JSON.parse(text) as {
    cases: readonly { signature: string; inputs: Record<string, Recorded>; outputs?: Record<string, Recorded> }[]
  }
  return cases.flatMap(({ signature, inputs: given, outputs }) => {
    if (outputs === undefined || signature !== 'serving_default') return []
    return Array.from({ length: given[inputs[0]].shape[0] ?? 0 }, (_, row) => ({
      features: Object.fromEntries(
        inputs.map((name) => [
          name,
          [given[name].shape.length > 1 ? rowOf(given[name], row) : rowOf(given[name], row)[0]],
        ]),
      ),
      output: (name: string) => rowOf(outputs[name], row),
    }))
  })
}

function rowOf({ dtype, shape, data }: Recorded, row: number) {
  const width = data.length / shape[0]
  const values = data.slice(row * width, (row + 1) * width)
  // What JSON has no number for is recorded as text.
  return values.map((value) => {
    if (typeof value === 'object') return new Uint8Array(Buffer.from(value.b64, 'base64'))
    if (dtype === 'string' || typeof value === 'number') return value
    return dtype.includes('int') ? BigInt(value) : Number(value)
  })
}

export function input({ parts }: Explanation, name: string): ExplainedInput {
  const found = parts.flatMap(({ inputs }) => inputs).find((one) => one.name === name)
  if (found === undefined) throw new Error(`no input ${name}`)
  return found
}

export const ofKind = <K extends Stage['kind']>({ stages }: ExplainedInput, kind: K) =>
  stages.filter((stage): stage is Extract<typeof stage, { readonly kind: K }> => stage.kind === kind)

export const words = (file: string): string[] => readFileSync(`${demo}/${file}`, 'utf8').trimEnd().split('\n')
