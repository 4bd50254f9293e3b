import { readFileSync } from 'node:fs'
import { expect } from 'vitest'

export interface Recorded {
  readonly signature: string
  readonly inputs: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: readonly unknown[] }>>
  readonly outputs: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: readonly number[] }>>
}

/** What TensorFlow answered and did not refuse. */
export const golden = (name: string): readonly Recorded[] =>
  (
    JSON.parse(readFileSync(new URL(`../../fixtures/goldens/${name}.json`, import.meta.url), 'utf8')) as {
      readonly cases: readonly Recorded[]
    }
  ).cases.filter(({ outputs }) => outputs !== undefined)

export function expectClose(got: readonly number[], wanted: readonly number[]): void {
  expect(got).toHaveLength(wanted.length)
  for (const [i, value] of wanted.entries()) expect(got[i]).toBeCloseTo(value, 5)
}
