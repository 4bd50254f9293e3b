import { describe } from 'vitest'
import { ops } from '../../../src/ops/strings.ts'
import { goldenOps } from './goldens.ts'

describe('strings', () => goldenOps('strings', ops))
