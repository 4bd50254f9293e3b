import { describe } from 'vitest'
import { ops } from '../../../src/ops/examples.ts'
import { goldenOps } from './goldens.ts'

describe('ops that read tf.Example, JSON and CSV', () => goldenOps('examples', ops))
