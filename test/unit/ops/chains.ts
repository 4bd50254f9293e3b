import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { Attrs, type Op } from '../../../src/graph/index.ts'
import type { Tensor } from '../../../src/tensor/index.ts'
import { attrOf, expectEqual, type GoldenTensor, tensorOf } from './goldens.ts'

/** The `index`-th output of the `step`-th op. */
type Place = readonly [step: number, index: number]

/** Raw ops that TensorFlow ran one after the other, as test/fixtures/make/opchains.py writes them. */
interface Chain {
  readonly note: string
  readonly steps: readonly {
    readonly op: string
    readonly attrs: Readonly<Record<string, unknown>>
    readonly inputs: readonly (GoldenTensor | { readonly of: Place })[]
  }[]
  readonly fetches: readonly Place[]
  readonly outputs?: readonly GoldenTensor[]
  readonly error?: string
}

/** Registers a test for each chain of test/fixtures/ops/FAMILY.chains.json. */
export function goldenChains(family: string, ops: Readonly<Record<string, Op>>): void {
  const file = fileURLToPath(new URL(`../../fixtures/ops/${family}.chains.json`, import.meta.url))
  const { chains } = JSON.parse(readFileSync(file, 'utf8')) as { chains: Chain[] }
  for (const chain of chains) {
    test(`${family} chain: ${chain.note} ${chain.error === undefined ? 'equals TensorFlow' : 'is refused'}`, async () => {
      const run = () => runChain(chain, ops)
      if (chain.error !== undefined) {
        await expect(run).rejects.toThrow()
        return
      }
      const results = await run()
      chain.outputs?.forEach((golden, i) => {
        expectEqual(results[i], golden, `output ${i}`)
      })
    })
  }
}

async function runChain({ steps, fetches }: Chain, ops: Readonly<Record<string, Op>>): Promise<Tensor[]> {
  const results: Tensor[][] = []
  const at = ([step, index]: Place): Tensor => results[step][index]
  for (const step of steps) {
    const attrs = new Attrs(
      Object.fromEntries(Object.entries(step.attrs).map(([name, value]) => [name, attrOf(value)])),
    )
    const inputs = step.inputs.map((input) => ('of' in input ? at(input.of) : tensorOf(input)))
    const node = { name: 'step', op: step.op, attrs, inputs: [], controls: [] }
    await ops[step.op].prepare?.(attrs)
    const result = ops[step.op].evaluate({ inputs, attrs, node, files: new Map(), run: () => [] })
    results.push('dtype' in result ? [result] : (result as readonly Tensor[]).slice())
  }
  return fetches.map(at)
}
