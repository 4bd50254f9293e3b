import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const demo = join(root, 'weights/demo')
const folder = mkdtempSync(join(tmpdir(), 'twotower-int8-'))
afterAll(() => rmSync(folder, { recursive: true }))

const twotower = (...args: readonly string[]) =>
  spawnSync(process.execPath, [join(root, 'dist/cli/main.js'), ...args], { encoding: 'utf8' })

const recorded = join(demo, 'goldens/query_model.json')

describe('convert --dtype int8', () => {
  const bundle = join(folder, 'bytes')
  test('writes a bundle that verify judges by its cosine, and says so', () => {
    const converted = twotower('convert', join(demo, 'query_model'), '--dtype', 'int8', '-o', bundle)
    expect(converted.status).toBe(0)
    expect(converted.stdout).toContain('int8: 3 dense layers; in floats: 0 dense layers\n')
    const { status, stdout } = twotower('verify', bundle, recorded)
    expect(stdout).toContain('judged by cosine ≥ 0.999')
    expect(stdout).toMatch(/min cosine +mean cosine/)
    expect(stdout.trimEnd()).toMatch(/near enough$/)
    expect(status).toBe(0)
  })

  test('is not equal to TensorFlow in floats, nor to a cosine of more than it has', () => {
    for (const stricter of [
      ['--tolerance', '1e-5'],
      ['--cosine', '0.999999'],
    ]) {
      const { status, stdout } = twotower('verify', bundle, recorded, ...stricter)
      expect(stdout.trimEnd()).toMatch(/NOT equal$/)
      expect(status).toBe(1)
    }
  })

  test('reports the least and the mean cosine as JSON', () => {
    const report = JSON.parse(twotower('verify', bundle, recorded, '--json').stdout)
    expect(report).toMatchObject({ dtype: 'int8', cosine: 0.999, problems: [] })
    const [{ minCosine, meanCosine, wrong }] = report.outputs
    expect(wrong).toBe(0)
    expect(minCosine).toBeGreaterThanOrEqual(0.999)
    expect(meanCosine).toBeGreaterThanOrEqual(minCosine)
    expect(meanCosine).toBeLessThan(1)
  })

  test('refuses another dtype, and a measure that is none', () => {
    const other = twotower('convert', join(demo, 'query_model'), '--dtype', 'int4', '-o', join(folder, 'other'))
    expect(other.status).toBe(2)
    expect(other.stderr).toContain('--dtype must be float32 or int8, got "int4"')
    expect(twotower('verify', bundle, recorded, '--cosine', 'near').status).toBe(2)
    expect(twotower('verify', bundle, recorded, '--cosine', '0.9', '--tolerance', '1').status).toBe(2)
  })
})
