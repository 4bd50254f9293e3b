import { describe } from 'vitest'
import { ops } from '../../../src/ops/sequenceexamples.ts'
import { goldenOps } from './goldens.ts'

describe('ops that read tf.SequenceExample', () => goldenOps('sequenceexamples', ops))
