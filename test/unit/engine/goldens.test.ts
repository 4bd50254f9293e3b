import { readdirSync } from 'node:fs'
import { describe } from 'vitest'
import { bindingsFor } from '../../../src/engine/bindings.ts'
import { instantiate } from '../../../src/engine/kernels.ts'
import { Memory } from '../../../src/engine/memory.ts'
import { withKernels } from '../../../src/engine/table.ts'
import { compileKernels } from '../../../src/engine/variants.ts'
import { loadAllOps } from '../../../src/ops/all.ts'
import { goldenOps } from '../ops/goldens.ts'

// The goldens of TensorFlow, asked of the kernels too: of ops that have one, and of tensors however small.

const reference = await loadAllOps()
const memory = new Memory(1 << 20)
const kernels = instantiate(await compileKernels(), memory.wasm)
const table = withKernels(reference, kernels, memory, 1, await bindingsFor(new Set(reference.keys())))
const own = Object.fromEntries([...table].filter(([op, entry]) => entry !== reference.get(op) && !entry.effect))

const folder = new URL('../../fixtures/ops/', import.meta.url)
const families = readdirSync(folder).flatMap((file) => /^(\w+)\.json$/.exec(file)?.[1] ?? [])
describe('kernels', () => {
  for (const family of families) goldenOps(family, own, 'those that are there')
})
