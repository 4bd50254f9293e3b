import { describe } from 'vitest'
import { ops as joins } from '../../../src/ops/joins.ts'
import { ops as strings } from '../../../src/ops/strings.ts'
import { ops as substrings } from '../../../src/ops/substrings.ts'
import { goldenOps } from './goldens.ts'

describe('strings', () => goldenOps('strings', { ...strings, ...joins, ...substrings }))
