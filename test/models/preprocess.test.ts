import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { convert } from '../../src/convert.ts'
import { load } from '../../src/load.ts'
import type { Tensor } from '../../src/tensor/index.ts'
import { expectEqual, type GoldenTensor } from '../unit/ops/goldens.ts'
import { readGolden } from './goldens.ts'

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url))

test('raw text through a bundle with preprocess.json gives what TensorFlow gave for its padded ids', async () => {
  const golden = readGolden(`${fixtures}goldens/padded_ids.json`)
  const words = Array.from({ length: 50 }, (_, id) => `w${id}`)
  const preprocess = {
    version: 1,
    inputs: {
      token_ids: {
        from: 'title',
        steps: [{ step: 'split' }, { step: 'lookup', vocabulary: words, oov_ids: 0 }, { step: 'pad', length: 16 }],
      },
    },
  }
  const bundle = await convert(`${fixtures}models/padded_ids`, { preprocess })
  const model = await load({ manifest: bundle.manifest, weights: bundle.weights })
  let tried = 0
  for (const { signature, inputs, outputs } of golden.cases) {
    const ids = inputs.token_ids as GoldenTensor
    if (outputs === undefined || ids.shape.length !== 2) continue
    const rows = Array.from({ length: ids.shape[0] }, (_, row) => (ids.data as number[]).slice(row * 16, row * 16 + 16))
    // Padding is at the end, so a text of the ids before it stands for the row.
    const texts = rows.map((row) =>
      row
        .slice(0, row.findLastIndex((id) => id !== 0) + 1)
        .map((id) => words[id])
        .join(' '),
    )
    const got = model.evaluate(signature, { title: texts })
    for (const [name, value] of Object.entries(outputs)) expectEqual(got[name] as Tensor, value, name)
    tried++
  }
  expect(tried).toBeGreaterThan(2)
})
