import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { graphsOf, residentsOf } from '../../src/engine/residents.ts'
import { Attrs, constant, type ModelDefinition, PARAMETER } from '../../src/graph/index.ts'
import { writeFolder } from '../../src/platform/nodewrite.ts'
import { tensor } from '../../src/tensor/index.ts'
import { flatten } from '../../src/weights/writer.ts'

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

/** A tower of one layer of k × n, whose weights are all 1. */
function wide(k: number, n: number): ModelDefinition {
  const x = { name: 'x', op: PARAMETER, attrs: Attrs.none, inputs: [], controls: [] }
  const weights = constant('w', tensor('float32', [n / 16, k, 16], new Float32Array(k * n).fill(1)))
  const inputs = [x, weights].map((node) => ({ node, index: 0 }))
  const layer = { name: 'y', op: 'twotower>Dense', attrs: new Attrs({ k, n }), inputs, controls: [] }
  const graph = { parameters: [x], nodes: [x, weights, layer], outputs: [{ node: layer, index: 0 }] }
  const output = { name: 'y', dtype: 'float32', shape: [null, n] } as const
  const ports = [{ name: 'x', dtype: 'float32', shape: [null, k] }] as const
  return {
    source: 'a test',
    signatures: [{ name: 's', method: '', inputs: ports, outputs: [output], graph }],
    towers: {
      query: { signature: 's', inputs: ports, output, graph },
      candidate: null,
      similarity: null,
      joint: null,
      notes: [],
    },
  }
}

test('a bundle of large layers takes the memory of its weights and 20 MB, once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'twotower-'))
  try {
    const definition = wide(4096, 4096)
    const { manifest, pieces } = flatten(definition, 'test', residentsOf(graphsOf(definition)))
    await writeFolder(
      join(folder, 'b'),
      [
        { name: 'manifest.json', pieces: [new TextEncoder().encode(JSON.stringify(manifest))] },
        { name: 'weights.bin', pieces },
      ],
      () => false,
    )
    const args = ['--expose-gc', path('resident.mjs'), join(folder, 'b')]
    const { before, after, first } = JSON.parse((await promisify(execFile)(process.execPath, args)).stdout)
    expect(first).toBe(2048)
    expect(after - before).toBeGreaterThan(4 * 4096 * 4096)
    expect(after - before).toBeLessThan(4 * 4096 * 4096 + 20e6)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
