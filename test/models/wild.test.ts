import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { convert } from '../../src/convert.ts'
import { load } from '../../src/load.ts'
import { goldenFiles, goldenTests, readGolden } from './goldens.ts'

// Public SavedModels that nobody on this project made: test data beside the repository, where it is there.
const shared = fileURLToPath(new URL('../../../shared/', import.meta.url))

if (existsSync(join(shared, 'wild'))) {
  for (const file of goldenFiles(join(shared, 'goldens'))) {
    const golden = readGolden(file)
    const folder = join(shared, 'wild', golden.model)
    goldenTests(golden, () => load(folder), 'as it is')
    goldenTests(
      golden,
      async () => {
        const bundle = await convert(folder)
        return load({ manifest: bundle.manifest, weights: bundle.weights })
      },
      'through the flat format',
    )
  }
} else {
  describe('public models', () => {
    test('are not beside the repository, so only the fixtures are tested', () =>
      expect(existsSync(join(shared, 'wild'))).toBe(false))
  })
}
