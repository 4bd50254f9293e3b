import { installed, program, type Runtime } from '../runtime.ts'

/** Bun, which installs nothing while it runs and has no way to forbid code out of text. */
export const bun: Runtime = program('Bun', installed('@oven/bun-linux-x64/bin/bun'), ['--no-install'], {
  strict: false,
})
