import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { InvalidArgumentError, UnsupportedOpError } from '../../../src/errors.ts'
import { Attrs } from '../../../src/graph/index.ts'
import { ops } from '../../../src/ops/sentencepiece.ts'
import { SentencepieceProcessor } from '../../../src/ops/text/sentencepiece/processor.ts'
import { Strings, type Tensor, tensor } from '../../../src/tensor/index.ts'
import { goldenChains } from './chains.ts'
import { attrOf } from './goldens.ts'

const file = new URL('../../fixtures/ops/sentencepiece.chains.json', import.meta.url)
const { chains } = JSON.parse(readFileSync(file, 'utf8')) as {
  chains: { steps: { attrs: Record<string, unknown> }[] }[]
}
/** The serialized models of the goldens. */
const models = chains.map(({ steps }) => attrOf(steps[0].attrs.model)).filter((bytes) => bytes instanceof Uint8Array)

describe('SentencePiece', () => {
  goldenChains('sentencepiece', ops)

  test('refuses several and random ways to cut a text, which are not one answer', () => {
    const call = (op: string, attrs: Record<string, Uint8Array | boolean>, inputs: readonly Tensor[]) => {
      const node = { name: 'text/cut', op, attrs: new Attrs(attrs), inputs: [], controls: [] }
      return ops[op].evaluate({ inputs, attrs: node.attrs, node, files: new Map(), run: () => [] }) as Tensor
    }
    const handle = call('SentencepieceOp', { model: models[0] }, [])
    const no = tensor('bool', [], Uint8Array.of(0))
    const run = (nbest: number, return_nbest: boolean) => () =>
      call('SentencepieceTokenizeOp', { return_nbest }, [
        handle,
        tensor('string', [1], Strings.from(['the night'])),
        tensor('int32', [], Int32Array.of(nbest)),
        tensor('float32', [], Float32Array.of(0.1)),
        no,
        no,
        no,
      ])
    expect(run(-1, false)).toThrow(UnsupportedOpError)
    expect(run(5, true)).toThrow(/nbest_size 5 asks for several or random ways/)
    expect(run(0, true)).toThrow(InvalidArgumentError)
    expect(run(1, true)).not.toThrow()
  })

  test('refuses a model that is cut short or damaged, or reads it as far as it is one', () => {
    const extras = { bos: false, eos: false, reverse: false }
    for (const model of models.filter(({ length }) => length < 20000)) {
      for (let i = 0; i < 60; i++) {
        const damaged = model.slice(0, i % 2 === 0 ? Math.floor((model.length * i) / 60) : model.length)
        if (i % 2 === 1) damaged[(i * 131) % damaged.length] ^= 0x55
        try {
          new SentencepieceProcessor(damaged).encode(Uint8Array.from([0x74, 0x68, 0x65, 0xff]), extras)
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidArgumentError)
        }
      }
    }
  })
})
