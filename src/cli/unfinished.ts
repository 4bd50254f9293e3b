import { rmSync } from 'node:fs'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The files that have such a name in this process. */
const names = new Set<string>()

/**
 * What a file is called until it is whole and becomes `path`. A signal that ends the process (Ctrl-C) removes it first: no
 * later run could go on with it.
 */
export function unfinishedName(path: string): string {
  if (names.size === 0) for (const signal of SIGNALS) process.once(signal, leave)
  const name = `${path}.${process.pid}.unfinished`
  names.add(name)
  return name
}

/** Once the listener has gone, the signal does what it does without one. */
function leave(signal: NodeJS.Signals): void {
  for (const name of names) rmSync(name, { force: true })
  process.kill(process.pid, signal)
}
