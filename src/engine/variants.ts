import { bytesOfHex } from '../platform/hex.ts'
import { relaxedSupported } from './kernels.ts'

export interface KernelChoice {
  /**
   * The same bits on every machine and runtime. The relaxed build rounds a multiply-add once where the CPU can, twice where
   * it cannot; the baseline build always twice. And every value goes through a kernel, because a runtime's own exp, tanh or
   * log may differ from another's in the last bit.
   */
  readonly deterministic?: boolean
}

/** The kernels that nearly every tower needs (assembly/core.ts), or all. */
export type KernelSet = 'core' | 'all'

/**
 * The package's own kernels, compiled once a process: relaxed SIMD where the runtime has it. There it is not slower (per
 * dense layer 1.0 to 1.4 times as fast as the baseline, Node 20 with its flag and 24; one row through 4 MB of weights 0.93 on
 * Node 20), so nothing is measured at start.
 */
export function compileKernels(
  { deterministic = false }: KernelChoice = {},
  set: KernelSet = 'all',
): Promise<WebAssembly.Module> {
  const variant = `${set} ${simdOf(deterministic)}` as const
  let module = COMPILED.get(variant)
  if (module === undefined) {
    module = bytesOfKernels(variant).then(compile)
    COMPILED.set(variant, module)
  }
  return module
}

const simdOf = (deterministic: boolean) => (!deterministic && relaxedSupported() ? 'relaxed' : 'baseline')

/** All kernels, for a memory that threads share. */
export async function compileSharedKernels({ deterministic = false }: KernelChoice = {}): Promise<WebAssembly.Module> {
  const { importingShared } = await import('./sharedimport.ts')
  return compile(importingShared(await bytesOfKernels(`all ${simdOf(deterministic)}`)))
}

const DIGITS = {
  'core baseline': () => import('./wasm/core-baseline.ts'),
  'core relaxed': () => import('./wasm/core-relaxed.ts'),
  'all baseline': () => import('./wasm/baseline.ts'),
  'all relaxed': () => import('./wasm/relaxed.ts'),
}

const COMPILED = new Map<keyof typeof DIGITS, Promise<WebAssembly.Module>>()

async function bytesOfKernels(variant: keyof typeof DIGITS): Promise<Uint8Array<ArrayBuffer>> {
  return bytesOfHex((await DIGITS[variant]()).wasm)
}

async function compile(bytes: BufferSource): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes)
  } catch (error) {
    throw new Error(
      `this runtime compiles no WebAssembly while it runs: give the kernels compiled, import wasm from 'twotower/kernels.wasm' and load(…, { wasm }); on a page allow 'wasm-unsafe-eval' (${(error as Error).message})`,
      { cause: error },
    )
  }
}
