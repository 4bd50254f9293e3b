import { installed, program, type Runtime } from '../runtime.ts'

const STRICT = '--disallow-code-generation-from-strings'

/** Node as it runs the tests, the same with relaxed SIMD, and the later ones. */
export const nodes: readonly Runtime[] = [
  program(`Node ${process.versions.node}`, process.execPath, [STRICT], { strict: true }),
  program(
    `Node ${process.versions.node} with relaxed SIMD`,
    process.execPath,
    [STRICT, '--experimental-wasm-relaxed-simd'],
    { strict: true },
  ),
  program('Node 22', installed('node22/bin/node'), [STRICT], { strict: true }),
  program('Node 24', installed('node24/bin/node'), [STRICT], { strict: true }),
]
