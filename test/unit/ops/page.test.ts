import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { bindingsFor } from '../../../src/engine/bindings.ts'
import { instantiate } from '../../../src/engine/kernels.ts'
import { Memory } from '../../../src/engine/memory.ts'
import { withKernels } from '../../../src/engine/table.ts'
import { compileKernels } from '../../../src/engine/variants.ts'
import { loadAllOps } from '../../../src/ops/all.ts'
import { FAMILIES } from '../../../src/ops/families.ts'

// docs/ops.md is written from the registry: `npm run docs`.

const root = fileURLToPath(new URL('../../../', import.meta.url))
const page = join(root, 'docs/ops.md')

/** Which files of goldens and which SavedModels hold an op. */
function evidence(names: readonly string[]): Map<string, string[]> {
  const found = new Map(names.map((name) => [name, [] as string[]]))
  const goldens = join(root, 'test/fixtures/ops')
  for (const file of readdirSync(goldens)) {
    const text = readFileSync(join(goldens, file), 'utf8')
    const quoted = new Set(text.match(/"[\w>]+"/g))
    for (const name of names) {
      // Of ops on complex numbers one file has the plain names, which are others' everywhere else.
      const isComplex = name.startsWith('complex>')
      if (isComplex === (file === 'complex.json') && quoted.has(`"${name.replace('complex>', '')}"`))
        found.get(name)?.push(file.replace(/(\.chains)?\.json$/, ''))
    }
  }
  const models = join(root, 'test/fixtures/models')
  const exported = readdirSync(models, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('saved_model.pb'),
  )
  for (const file of exported) {
    const bytes = readFileSync(join(models, file))
    const [where] = file.split(/[\\/]/)
    const held = new Set<string>()
    // NodeDef.op is field 2, a string.
    for (let at = bytes.indexOf(0x12); at >= 0; at = bytes.indexOf(0x12, at + 1))
      held.add(bytes.toString('latin1', at + 2, at + 2 + bytes[at + 1]))
    for (const name of names) if (held.has(name)) found.get(name)?.push(`${where}/`)
  }
  return found
}

async function written(): Promise<string> {
  const reference = await loadAllOps()
  const memory = new Memory(1 << 16)
  const bindings = await bindingsFor(new Set(reference.keys()))
  const kernels = instantiate(await compileKernels(), memory.wasm)
  const table = withKernels(reference, kernels, memory, undefined, bindings)
  const names = [...reference.keys()].sort()
  const tested = evidence(names)
  const rows = Object.entries(FAMILIES).flatMap(([family, { ops }]) =>
    Object.keys(ops)
      .sort()
      .map((name) => {
        const kernel = table.get(name) !== reference.get(name) && reference.get(name)?.effect === undefined
        const where = [...new Set(tested.get(name))]
        const shown =
          where.length > 3 ? `${where.slice(0, 3).join(', ')} and ${where.length - 3} more` : where.join(', ')
        return `| \`${name.replace('|', '\\|')}\` | ${family} | ${ops[name]} | ${kernel ? 'kernel' : 'reference'} | ${shown} |`
      }),
  )
  return `# Ops

The ${names.length} ops that twotower runs, as the registry (\`src/ops/families.ts\`) has them, each with the
version that had it first; \`npm run docs\` writes this page. Every op has a reference evaluation in TypeScript, in
\`src/ops/\`; where it says kernel, float32 tensors go through \`assembly/\`. The last column names goldens of real TensorFlow: files in \`test/fixtures/ops/\`, and SavedModels, with a slash,
in \`test/fixtures/models/\`; where it is empty, the op is an older or newer form of one that is held. \`twotower>…\` are ops of
our own, which lowering makes of several; they are held against the graphs that they replace. \`complex>…\` are TensorFlow's ops
where their tensors are complex numbers: entries of their own, so that what does not know those is refused by name.

| op | family | since | runs on | held against TensorFlow in |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`
}

test('docs/ops.md says what the registry holds', async () => {
  const text = await written()
  if (process.env.WRITE_DOCS === '1') writeFileSync(page, text)
  expect(readFileSync(page, 'utf8'), 'is not up to date: npm run docs').toBe(text)
})
