import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { convert } from '../../src/convert.ts'
import { load } from '../../src/load.ts'
import { goldenFiles, goldenTests, readGolden } from './goldens.ts'

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url))

for (const file of goldenFiles(join(fixtures, 'goldens'))) {
  const own = readGolden(file)
  // What test/fixtures/make/fixture_edges.py asked of it beside.
  const edges = join(fixtures, 'edges', basename(file))
  const golden = existsSync(edges) ? { ...own, cases: [...own.cases, ...readGolden(edges).cases] } : own
  const folder = join(fixtures, 'models', golden.model)
  if (!existsSync(folder)) throw new Error(`${file} names the model ${golden.model}, which is not there`)
  const options = golden.tags === undefined ? {} : { tags: golden.tags }
  // Two fixtures feed a million into untrained layers.
  const cancelling = golden.model.startsWith('vertex_')
  goldenTests(golden, () => load(folder, options), 'as it is', cancelling)
  // Every value through a kernel, however small: what the kernels' users never meet otherwise.
  goldenTests(golden, () => load(folder, { ...options, deterministic: true }), 'deterministic', cancelling)
  goldenTests(
    golden,
    async () => {
      const bundle = await convert(folder, options)
      return load({ manifest: bundle.manifest, weights: bundle.weights })
    },
    'through the flat format',
    cancelling,
  )
}
