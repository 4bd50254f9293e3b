import { readFileSync } from 'node:fs'
import binaryen from 'binaryen'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ARENA_START,
  instantiate,
  type Kernels,
  LOADS,
  loadsHere,
  relaxedSupported,
} from '../../../src/engine/kernels.ts'
import { PANEL, packedLength, packPanels, unpackPanels } from '../../../src/tensor/panels.ts'
import { bytesOf, VARIANTS } from './instance.ts'

const PARAMETERS: Readonly<Record<keyof Kernels, number>> = {
  ...{
    dense: 9,
    denseInt8: 14,
    pairsBytes: 0,
    matmul: 7,
    choose: 12,
    copyRows: 6,
    copySteps: 6,
    gatherRows: 7,
    xxh32: 3,
    layWindows: 13,
    packPanels: 4,
    slideWindows: 15,
    runSteps: 3,
    hashBuckets: 5,
    poolRows: 10,
    scanBytes: 10,
    scanListed: 12,
    layNibbles: 6,
    scanNibbles: 12,
    listBits: 5,
    maskScores: 3,
    withinReach: 5,
    scanCodes: 14,
    rowArgMax: 4,
    encodePairs: 8,
    topk: 5,
    topkPush: 7,
    topkSort: 3,
  },
  ...{ relu: 3, relu6: 3, sigmoid: 3, tanh: 3, elu: 4, selu: 3, leakyRelu: 4, gelu: 3, geluTanh: 3, softplus: 3 },
  ...{ swish: 3, softsign: 3, exp: 3, log: 3, log1p: 3, sqrt: 3, rsqrt: 3, square: 3, neg: 3, abs: 3, erf: 3, erfc: 3 },
  ...{ reciprocal: 3, floor: 3, ceil: 3, rint: 3 },
  ...{ add: 9, sub: 9, mul: 9, div: 9, divNoNan: 9, maximum: 9, minimum: 9, squaredDifference: 9 },
  ...{ softmax: 4, logSoftmax: 4, l2Normalize: 5, layerNorm: 7 },
  ...{ rowSum: 4, rowMean: 4, rowSumSquares: 4, rowMax: 4, rowMin: 4 },
  ...{ rowDot: 5, rowSquaredDistance: 5, rowCosine: 6 },
}

describe.each(VARIANTS)('the %s module', (variant) => {
  it('exports exactly the kernels of the interface, with as many parameters', () => {
    const kernels = instantiate(new WebAssembly.Module(bytesOf(variant)), new WebAssembly.Memory({ initial: 1 }))
    const found = Object.fromEntries(Object.entries(kernels).map(([name, kernel]) => [name, kernel.length]))
    expect(found).toEqual(PARAMETERS)
  })

  it('imports a memory, and the relaxed one what it is to know of the engine, and nothing else', () => {
    const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytesOf(variant)))
    const memory = { module: 'env', name: 'memory', kind: 'memory' }
    const told = [
      { module: 'env', name: 'loads', kind: 'global' },
      { module: 'env', name: 'rows', kind: 'global' },
      { module: 'env', name: 'tiles', kind: 'function' },
    ]
    expect(imports).toEqual(variant === 'relaxed' ? expect.arrayContaining([...told, memory]) : [memory])
    expect(imports).toHaveLength(variant === 'relaxed' ? 4 : 1)
  })

  it('leaves the host all memory from ARENA_START on', () => {
    const memory = new WebAssembly.Memory({ initial: 2 })
    new Uint8Array(memory.buffer).fill(0xa5)
    instantiate(new WebAssembly.Module(bytesOf(variant)), memory)
    expect(new Uint8Array(memory.buffer, ARENA_START).every((byte) => byte === 0xa5)).toBe(true)
  })
})

describe('the modules as they are built', () => {
  const MODULES = ['core-baseline', 'core-relaxed', 'baseline', 'relaxed']
  const wasmOf = (name: string) => readFileSync(`dist/kernels/${name}.wasm`)
  const ownPartOf = (...names: string[]) => {
    const memory = new WebAssembly.Memory({ initial: 1 })
    for (const name of names) instantiate(new WebAssembly.Module(wasmOf(name)), memory)
    return new Uint8Array(memory.buffer, 0, ARENA_START)
  }

  it('have one table of constants, of which the core has the beginning: several may be on one memory', () => {
    const compiled = MODULES.filter((name) => relaxedSupported() || name.endsWith('baseline'))
    const [all] = compiled.slice(-1)
    expect(ownPartOf(all).some((byte) => byte !== 0)).toBe(true)
    expect(ownPartOf(...compiled)).toEqual(ownPartOf(all))
    expect(ownPartOf(...compiled.toReversed())).toEqual(ownPartOf(all))
  })

  it.each(MODULES)('make no vector constant within a loop: %s', (name) => {
    const module = binaryen.readBinary(wasmOf(name))
    module.setFeatures(binaryen.Features.All)
    const constants: string[] = []
    const loops: boolean[] = []
    for (const [token] of module.emitText().matchAll(/v128\.const i32x4( 0x\w{8})\1\1\1|\((?:loop\b)?|\)/g)) {
      if (token === ')') loops.pop()
      else if (token.startsWith('(')) loops.push(token === '(loop' || (loops.at(-1) ?? false))
      else if (loops.at(-1)) constants.push(token)
    }
    module.dispose()
    // All bits or none are one instruction wherever they stand.
    expect(constants.filter((constant) => !/ 0x0{8}| 0xf{8}/.test(constant))).toEqual([])
  })
})

describe('relaxedSupported', () => {
  it('says whether the relaxed module compiles here', () => {
    expect(relaxedSupported()).toBe(WebAssembly.validate(bytesOf('relaxed')))
  })
  it('is true once relaxed SIMD is on', () => {
    expect(relaxedSupported()).toBe(true)
  })
})

describe('loadsHere', () => {
  it("tells V8's newer compiler from the one before", () => {
    expect(loadsHere()).toBe(Number.parseInt(process.versions.v8, 10) >= 13 ? LOADS.inPlace : LOADS.first)
  })
})

describe('packPanels', () => {
  it('puts the columns of a panel side by side, row after row, and zeros past the last column', () => {
    const packed = packPanels(
      Float32Array.from({ length: 2 * 18 }, (_, i) => i + 1),
      2,
      18,
    )
    expect(packed).toHaveLength(2 * PANEL * 2)
    expect([...packed.subarray(0, 16)]).toEqual(Array.from({ length: 16 }, (_, i) => i + 1))
    expect([...packed.subarray(16, 32)]).toEqual(Array.from({ length: 16 }, (_, i) => i + 19))
    expect([...packed.subarray(32, 48)]).toEqual([17, 18, ...new Array<number>(14).fill(0)])
    expect([...packed.subarray(48, 64)]).toEqual([35, 36, ...new Array<number>(14).fill(0)])
  })

  it('is undone by unpackPanels, for every bit pattern', () => {
    const matrix = fc
      .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 }))
      .chain(([k, n]) =>
        fc.tuple(fc.constant(k), fc.constant(n), fc.float32Array({ minLength: k * n, maxLength: k * n })),
      )
    fc.assert(
      fc.property(matrix, ([k, n, weights]) => {
        const packed = packPanels(weights, k, n)
        expect(packed.length).toBe(packedLength(k, n))
        expect(packed.length % PANEL).toBe(0)
        const back = unpackPanels(packed, k, n)
        expect(new Uint32Array(back.buffer)).toEqual(new Uint32Array(weights.slice().buffer))
      }),
    )
  })

  it('refuses an array of another size, with both numbers', () => {
    expect(() => packPanels(new Float32Array(5), 2, 3)).toThrow(
      new RangeError('weights of a 2 × 3 matrix has 6 elements, got 5'),
    )
    expect(() => unpackPanels(new Float32Array(6), 2, 3)).toThrow(
      new RangeError('packed of a 2 × 3 matrix has 32 elements, got 6'),
    )
  })
})
