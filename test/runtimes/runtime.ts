import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One case's outcome in one runtime, as `runCases` gives it. */
export type Outcome = { readonly value: unknown } | { readonly error: string } | { readonly skipped: string }

export type Report = Readonly<Record<string, Outcome>>

/** The package as its user has it, in a folder with the data beside it, and the address that serves that folder. */
export interface App {
  readonly folder: string
  readonly address: string
}

export interface Runtime {
  readonly name: string
  /** The program, or null where the machine has none. */
  readonly binary: string | null
  /** The table of cases, run in it. */
  run(app: App): Promise<Report>
}

/** A file of test/runtimes/node_modules, or null where it is not for this machine. */
export function installed(path: string): string | null {
  const file = fileURLToPath(new URL(`node_modules/${path}`, import.meta.url))
  return existsSync(file) ? file : null
}

/** A runtime that runs main.mjs and has the file system: `binary`, `flags`, the script and what it is told. */
export const program = (
  name: string,
  binary: string | null,
  flags: readonly string[],
  { strict }: { readonly strict: boolean },
): Runtime => ({
  name,
  binary,
  async run({ folder, address }) {
    const told = [address, folder, ...(strict ? ['strict'] : [])]
    return JSON.parse(await output(binary ?? name, [...flags, join(folder, 'main.mjs'), ...told], folder)) as Report
  },
})

/** What a command prints. @throws {Error} with what it says of its failure, where it fails */
export async function output(
  command: string,
  args: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const child = spawn(command, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text
    })
  const status = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  if (status === 0) return said.stdout
  throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${said.stderr || said.stdout}`)
}
