import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { bun } from './bun/runtime.ts'
import { CASES } from './cases.mjs'
import { browsers } from './chromium/runtime.ts'
import { deno } from './deno/runtime.ts'
import { nodes } from './node/runtime.ts'
import { output, type Report, type Runtime } from './runtime.ts'
import { workerd } from './workerd/runtime.ts'

const RUNTIMES: readonly Runtime[] = [...nodes, deno, bun, workerd, ...browsers]

/** Where tests run for everyone (.ci/run), all runtimes must be there. */
const ALL = process.env.RUNTIMES === 'all'

const reports = new Map<string, Report>()

test('what runs is the package as npm packs it', async () => {
  const { folder } = inject('app')
  const found = await output(
    process.execPath,
    ['--input-type=module', '-e', "console.log(import.meta.resolve('twotower'))"],
    folder,
  )
  expect(found.trim()).toBe(pathToFileURL(join(folder, 'node_modules/twotower/dist/index.js')).href)
})

for (const { name: runtime, binary, run } of RUNTIMES) {
  if (binary === null && !ALL) {
    console.warn(`NOT TESTED in ${runtime}: it is not on this machine`)
    test.skip(runtime)
    continue
  }
  describe(runtime, () => {
    beforeAll(async () => {
      reports.set(runtime, await run(inject('app')))
    })

    for (const { name } of CASES) {
      test(name, ({ skip }) => {
        const outcome = reports.get(runtime)?.[name]
        if (outcome !== undefined && 'skipped' in outcome) skip(outcome.skipped)
        if (outcome !== undefined && 'error' in outcome) throw new Error(outcome.error)
        expect(outcome).toHaveProperty('value')
      })
    }
  })
}

describe('in all runtimes the same comes of it where one', () => {
  for (const { name } of CASES) {
    test(name, () => {
      const answers = [...reports].flatMap(([runtime, report]) => {
        const outcome = report[name]
        return 'value' in outcome ? [[runtime, outcome.value] as const] : []
      })
      for (const [runtime, value] of answers) expect(value, runtime).toEqual(answers[0][1])
    })
  }
})
