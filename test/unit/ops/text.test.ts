import { describe } from 'vitest'
import { ops as codepoints } from '../../../src/ops/codepoints.ts'
import { ops as fastbert } from '../../../src/ops/fastbert.ts'
import { ops as labelled } from '../../../src/ops/labelled.ts'
import { ops as normalization } from '../../../src/ops/normalization.ts'
import { ops as tableinit } from '../../../src/ops/tableinit.ts'
import { ops as tables } from '../../../src/ops/tables.ts'
import { ops as tokenizers } from '../../../src/ops/tokenizers.ts'
import { ops as trimming } from '../../../src/ops/trimming.ts'
import { goldenChains } from './chains.ts'
import { goldenOps } from './goldens.ts'

describe('ops of tensorflow_text', () => {
  goldenOps('normalization', normalization)
  goldenChains('normalization', normalization)
  goldenOps('tokenizers', tokenizers)
  goldenChains('tokenizers', { ...tables, ...tableinit, ...tokenizers })
  goldenOps('codepoints', codepoints)
  goldenOps('labelled', labelled)
  goldenOps('trimming', trimming)
  goldenOps('fastbert', fastbert)
})
