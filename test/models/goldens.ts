import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { InputValue, Model } from '../../src/engine/model.ts'
import type { Tensor } from '../../src/tensor/index.ts'
import { expectEqual, type GoldenTensor, tensorOf, type Written } from '../unit/ops/goldens.ts'

/** What TensorFlow answered for a model, as shared goldens and the project's own fixtures hold it. */
export interface Golden {
  readonly model: string
  readonly tags?: readonly string[]
  readonly cases: readonly GoldenCase[]
}

export interface GoldenCase {
  readonly signature: string
  readonly inputs: Readonly<Record<string, GoldenTensor>>
  readonly outputs?: Readonly<Record<string, GoldenTensor>>
  readonly error?: string
}

/** A golden file. A tensor that stood in it before is {"same": N}, the N-th of those that it holds whole. */
export function readGolden(file: string): Golden {
  const whole: GoldenTensor[] = []
  const read = (tensors: Readonly<Record<string, Written>>): Record<string, GoldenTensor> =>
    Object.fromEntries(
      Object.entries(tensors).map(([name, written]) => {
        if ('same' in written) return [name, whole[written.same]]
        whole.push(written)
        return [name, written]
      }),
    )
  const golden = JSON.parse(readFileSync(file, 'utf8')) as Golden
  const cases = golden.cases.map(({ inputs, outputs, ...rest }) => ({
    ...rest,
    inputs: read(inputs),
    ...(outputs === undefined ? {} : { outputs: read(outputs) }),
  }))
  return { ...golden, cases }
}

/** The golden files of a folder; none where it is absent. */
export const goldenFiles = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith('.json'))
        .sort()
        .map((name) => join(folder, name))
    : []

/** One case through `model`: every output equal, or a refusal where TensorFlow refuses. */
export function expectCase(model: Model, example: GoldenCase, cancelling = false): void {
  // Not by assignment: an input may be called __proto__.
  const inputs: Record<string, InputValue> = Object.fromEntries(
    Object.entries(example.inputs).map(([name, golden]) => [name, tensorOf(golden) as unknown as InputValue]),
  )
  if (example.error !== undefined) {
    expect(() => model.evaluate(example.signature, inputs), `TensorFlow refuses: ${example.error}`).toThrow()
    return
  }
  const got = model.evaluate(example.signature, inputs)
  for (const [name, golden] of Object.entries(example.outputs ?? {})) {
    // Ragged and sparse results are judged through their dense parts.
    if (golden.dtype !== undefined) expectEqual(got[name] as Tensor, golden, name, cancelling)
  }
}

/** A test a signature: all its cases against what `load` gives, once. */
export function goldenTests(golden: Golden, load: () => Promise<Model>, how: string, cancelling = false): void {
  describe(`${golden.model}, ${how}`, () => {
    let loaded: Promise<Model> | null = null
    const once = (): Promise<Model> => {
      loaded ??= load()
      return loaded
    }
    for (const signature of new Set(golden.cases.map((example) => example.signature))) {
      const cases = golden.cases.filter((example) => example.signature === signature)
      test(`signature "${signature}" equals TensorFlow in ${cases.length} cases`, async () => {
        const model = await once()
        cases.forEach((example, i) => {
          try {
            expectCase(model, example, cancelling)
          } catch (error) {
            throw new Error(`case ${i}: ${(error as Error).message}`, { cause: error })
          }
        })
      })
    }
  })
}
