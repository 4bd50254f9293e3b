/** Exit statuses: all well; some input failed; the command was called wrongly. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const

/** The command line itself is wrong: exit status 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** One line on standard error: what went wrong, without a stack. */
export function report(error: unknown): void {
  process.stderr.write(`twotower: ${error instanceof Error ? inWords(error) : String(error)}\n`)
}

/** What the operating system refuses, as a sentence that names the file. */
function inWords({ message, code, path, syscall }: NodeJS.ErrnoException): string {
  if (syscall === 'mkdir' && path !== undefined)
    return code === 'EEXIST' || code === 'ENOTDIR'
      ? `"${path}" cannot be made a folder: a file is in the way`
      : `the folder "${path}" cannot be made: ${message}`
  if (syscall === 'write' && path !== undefined) return `"${path}" cannot be written: ${message}`
  if (code === 'EISDIR') return `${path === undefined ? 'what was given' : `"${path}"`} is a folder, not a file`
  if (path === undefined) return message
  if (code === 'ENOENT') return `there is no file "${path}"`
  if (code === 'EACCES') return `"${path}" may not be read or written`
  return message
}
