import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { define } from '../../src/define.ts'
import { bindingsFor } from '../../src/engine/bindings.ts'
import { Engine } from '../../src/engine/engine.ts'
import { Model } from '../../src/engine/model.ts'
import { compileKernels } from '../../src/engine/variants.ts'
import type { Call, Op } from '../../src/graph/index.ts'
import { loadAllOps } from '../../src/ops/all.ts'
import { type GoldenTensor, tensorOf } from '../unit/ops/goldens.ts'

// A tower spends its time in products, convolutions, recurrent cells, normalisation, pooling and the functions of their
// results. None of these is left to the reference evaluator, whatever Keras wrote it as.

const HEAVY =
  /^(twotower>(Dense|L2Normalize|LayerNorm)|MatMul|BatchMatMul.*|Einsum|Conv2D|DepthwiseConv2dNative|MaxPool|AvgPool|FusedBatchNorm.*|Softmax|Sum|Mean|Max|Segment(Sum|Mean)|UnsortedSegmentSum|BiasAdd|Sigmoid|Tanh|Erf|Exp|Rsqrt|SquaredDifference)$/
/** Fewer elements than this cost less where they are than a call. */
const FEW = 32

const root = fileURLToPath(new URL('../fixtures/', import.meta.url))
const SEQUENCES = /^(recurrent(_numbers|_keras3|_v1)?|attention|convolutions)$/
const MODELS = [
  'image_towers',
  'bert_tower',
  'fast_bert_tower',
  'bn_ln_tower',
  'fused_sequence',
  'vertex_pair/query_model',
]

/** Whether a loop carries the states of a recurrent cell, [rows, units], of rows that there are. */
function hasStates({ inputs }: Call): boolean {
  const states = inputs.filter(({ dtype, shape }) => dtype === 'float32' && shape.length === 2)
  return states.length > 0 && states.every(({ shape }) => shape[0] > 0)
}

/** What the reference evaluator was left with, as "op of shapes". */
async function left(name: string): Promise<string[]> {
  const found = new Set<string>()
  const watched = (op: Op): Op => ({
    ...op,
    evaluate(call: Call) {
      const [x] = call.inputs
      const isHeavy = HEAVY.test(call.node.op) && x.dtype === 'float32' && x.data.length >= FEW
      const isRecurrent = call.node.op === 'While' && hasStates(call)
      if (isHeavy || isRecurrent)
        found.add(`${call.node.op} of ${call.inputs.map(({ dtype, shape }) => `${dtype}[${shape}]`).join(', ')}`)
      return op.evaluate(call)
    },
  })
  const ops = await loadAllOps()
  const watching = new Map([...ops].map(([op, entry]) => [op, watched(entry)]))
  const definition = await define(`${root}models/${name}`)
  const model = new Model(
    definition,
    new Engine(definition, watching, await compileKernels(), { bindings: await bindingsFor(new Set(ops.keys())) }),
  )
  const golden = JSON.parse(readFileSync(`${root}goldens/${name.replace('/', '.')}.json`, 'utf8')) as {
    cases: { signature: string; inputs: Record<string, GoldenTensor>; outputs?: object }[]
  }
  for (const { signature, inputs, outputs } of golden.cases) {
    if (outputs === undefined) continue
    model.evaluate(
      signature,
      Object.fromEntries(Object.entries(inputs).map(([port, t]) => [port, tensorOf(t)])) as never,
    )
  }
  return [...found]
}

describe('on kernels, not on the reference evaluator, run', () => {
  const sequences = readdirSync(`${root}models`).filter((name) => SEQUENCES.test(name))
  test.each([...sequences, ...MODELS])('the layers of %s', async (name) => {
    expect(await left(name)).toEqual([])
  })
})
