/** Exit statuses: all well; some input failed; the command was called wrongly. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const

/** The command line itself is wrong: exit status 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** One line on standard error: what went wrong, without a stack. */
export function report(error: unknown): void {
  process.stderr.write(`twotower: ${error instanceof Error ? error.message : String(error)}\n`)
}
