import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

interface Used {
  readonly resident: number
  readonly heap: number
}

interface Finding {
  readonly before: Used
  readonly after: Used
  readonly finite: boolean
}

const MEBIBYTE = 2 ** 20
const WARM_UP = 20_000
const CALLS = 200_000

test(`${CALLS.toLocaleString('en')} calls of run leave the memory as it was`, async () => {
  const args = ['--expose-gc', path('manycalls.mjs'), path('../fixtures/models/shared_signature'), WARM_UP, CALLS]
  const { stdout } = await promisify(execFile)(process.execPath, args.map(String))
  const { before, after, finite } = JSON.parse(stdout) as Finding
  expect(finite).toBe(true)
  // 24 bytes a call that stay would be over it, and results that are kept are seventy times the bound. Resident memory is
  // 8 to 10 MiB more after 200,000 calls as after 800,000: the collector's room, made once.
  expect((after.heap - before.heap) / MEBIBYTE).toBeLessThan(4)
  expect((after.resident - before.resident) / MEBIBYTE).toBeLessThan(16)
})
