import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { toJsonSchema } from '@valibot/to-json-schema'
import { describe, expect, test } from 'vitest'
import { Preprocess, parsePreprocess } from '../../../src/preprocess/index.ts'

const read = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url)), 'utf8')

describe('docs/preprocess', () => {
  test('has a JSON schema that is what the code checks (scripts/schema.mjs writes it)', () => {
    expect(JSON.parse(read('preprocess.schema.json'))).toEqual(
      JSON.parse(JSON.stringify(toJsonSchema(Preprocess, { errorMode: 'ignore' }))),
    )
  })

  test('shows examples that the code takes', () => {
    const examples = [...read('preprocess.md').matchAll(/```json\n([\s\S]*?)```/g)].map((match) => match[1])
    expect(examples.length).toBeGreaterThan(1)
    for (const example of examples) expect(() => parsePreprocess(JSON.parse(example))).not.toThrow()
  })
})
