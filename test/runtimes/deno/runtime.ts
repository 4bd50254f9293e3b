import { installed, program, type Runtime } from '../runtime.ts'

/** Deno, allowed to read its folder and to fetch from this machine, and nothing else. */
export const deno: Runtime = program(
  'Deno',
  installed('@deno/linux-x64-glibc/deno'),
  [
    'run',
    '--no-config',
    '--node-modules-dir=manual',
    '--no-prompt',
    '--allow-read',
    '--allow-net=127.0.0.1',
    '--v8-flags=--disallow-code-generation-from-strings',
  ],
  { strict: true },
)
