// Writes docs/preprocess.schema.json from the schema in the code (dist must be built).
import { writeFileSync } from 'node:fs'
import { toJsonSchema } from '@valibot/to-json-schema'
import { Preprocess } from '../dist/preprocess/index.js'

writeFileSync(
  'docs/preprocess.schema.json',
  `${JSON.stringify(toJsonSchema(Preprocess, { errorMode: 'ignore' }), null, 2)}\n`,
)
