import { builtin } from '../platform/builtin.ts'

const FLAG = 'experimental-wasm-relaxed-simd'

/**
 * Gives this process relaxed SIMD where the engine has it only behind a flag, which is Node 20: a command may, a library may
 * not. The flag is on only while V8 validates or compiles, and so compiles at once; workers are given what was compiled. With
 * other flags than Node was built with, V8 would compile each of Node's own modules anew: from start to the first embedding
 * that takes a sixth more. Only on x64, where the kernels are tested with it, and in this V8: a later one has it without,
 * and one that does not know the flag prints an error.
 */
export function useRelaxedSimd(): void {
  if (process.arch !== 'x64' || !process.versions.v8?.startsWith('11.3.')) return
  const { validate, Module } = WebAssembly
  const { setFlagsFromString } = builtin('node:v8')
  const flagged = <T>(use: () => T): T => {
    setFlagsFromString(`--${FLAG}`)
    try {
      return use()
    } finally {
      setFlagsFromString(`--no-${FLAG}`)
    }
  }
  Object.assign(WebAssembly, {
    validate: (bytes: BufferSource) => flagged(() => validate(bytes)),
    compile: async (bytes: BufferSource) => flagged(() => new Module(bytes)),
  })
}
