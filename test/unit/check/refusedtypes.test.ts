import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { UnsupportedOpError } from '../../../src/errors.ts'
import { opOf } from '../../../src/import/complex.ts'
import { loadAllOps } from '../../../src/ops/all.ts'
import { refusedOption } from '../../../src/ops/options.ts'
import {
  ARRAYS,
  type ArrayDType,
  isBig,
  isNumeric,
  sizeOf,
  type Tensor,
  type TypedArray,
} from '../../../src/tensor/index.ts'
import { attrsOf, type GoldenTensor, tensorOf, type Written } from '../ops/goldens.ts'

// A check reads from the graph alone which ops are refused. So whatever number type a kernel of TensorFlow takes is either taken
// here, or named by refusedOption: each golden is evaluated with its inputs cast to each of those types.

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url))
const kernels = JSON.parse(readFileSync(`${fixtures}kernels.json`, 'utf8')) as {
  readonly types: readonly (readonly ArrayDType[])[]
  /** By `T 1 0 2`, a type attribute, which of the types it takes, and the inputs that are of it: the ops, parted by blanks. */
  readonly ops: Readonly<Record<string, string>>
}

interface Attribute {
  readonly attr: string
  readonly types: readonly ArrayDType[]
  readonly inputs: readonly number[]
}

const ATTRIBUTES = new Map<string, Attribute[]>()
for (const [key, names] of Object.entries(kernels.ops)) {
  const [attr, types, ...inputs] = key.split(' ')
  const found = { attr, types: kernels.types[Number(types)], inputs: inputs.map(Number) }
  for (const name of names.split(' ')) ATTRIBUTES.set(name, [...(ATTRIBUTES.get(name) ?? []), found])
}

interface Case {
  readonly op: string
  readonly attrs: Readonly<Record<string, unknown>>
  readonly inputs: readonly GoldenTensor[]
}

function casesByOp(): Map<string, Case[]> {
  const found = new Map<string, Case[]>()
  for (const file of readdirSync(`${fixtures}ops`)) {
    const { cases = [] } = JSON.parse(readFileSync(`${fixtures}ops/${file}`, 'utf8')) as {
      cases?: readonly (Omit<Case, 'inputs'> & { inputs: Written[]; outputs?: Written[]; error?: string })[]
    }
    const whole: GoldenTensor[] = []
    const read = (written: Written): GoldenTensor => {
      if ('same' in written) return whole[written.same]
      whole.push(written)
      return written
    }
    for (const { op, attrs, inputs, outputs, error } of cases) {
      const held = { op, attrs, inputs: inputs.map(read) }
      outputs?.forEach(read)
      if (error === undefined) found.set(op, [...(found.get(op) ?? []), held])
    }
  }
  return found
}

/** The numbers of `given`, each between −100 and 100, as `dtype`. */
function cast(given: Tensor, dtype: ArrayDType): Tensor {
  const data = new ARRAYS[dtype](sizeOf(given.shape)) as TypedArray
  for (let i = 0; i < data.length; i++) {
    const x = isNumeric(given) ? Number(given.data[i]) : 0
    const near = Number.isFinite(x) ? Math.max(-100, Math.min(100, x)) : 0
    data[i] = isBig(dtype) ? BigInt(Math.trunc(near)) : near
  }
  return { dtype, shape: given.shape, data } as Tensor
}

describe('every number type that a kernel of TensorFlow takes is taken, or a check names it', () => {
  const cases = casesByOp()
  let ops: Awaited<ReturnType<typeof loadAllOps>>
  beforeAll(async () => {
    ops = await loadAllOps()
  })

  /** Why a case with `attr` as `dtype` is refused for its type; null where it runs, or is refused for something else. */
  function refusal({ op, attrs, inputs }: Case, attr: string, dtype: ArrayDType, of: readonly number[]): string | null {
    const given = attrsOf({ attrs: { ...attrs, [attr]: dtype } })
    const name = opOf(op, given)
    const node = { name: 'case', op: name, attrs: given, inputs: [], controls: [] }
    const tensors = inputs.map((input, i) => (of.includes(i) ? cast(tensorOf(input), dtype) : tensorOf(input)))
    try {
      ops.get(name)?.evaluate({ inputs: tensors, attrs: given, node, files: new Map(), run: () => [] })
      return null
    } catch (error) {
      return error instanceof TypeError || error instanceof UnsupportedOpError ? String(error) : null
    }
  }

  for (const [op, attributes] of ATTRIBUTES) {
    const held = cases.get(op)
    if (held === undefined) continue
    test(op, async () => {
      for (const example of held) await ops.get(op)?.prepare?.(attrsOf(example))
      for (const { attr, types, inputs } of attributes) {
        for (const dtype of types) {
          const refusals = held.map((example) => refusal(example, attr, dtype, inputs))
          const isRefused = refusals.every((why) => why !== null)
          const node = { op, attrs: attrsOf({ attrs: { ...held[0].attrs, [attr]: dtype } }) }
          const named = refusedOption(node) === `of ${dtype}`
          expect(named, `${op} with ${attr}=${dtype}: ${refusals[0]}`).toBe(isRefused)
        }
      }
    })
  }
})
