import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { installed } from '../runtime.ts'

export interface RunningWorker {
  readonly address: string
  stop(): Promise<void>
}

/**
 * workerd with the Worker of `folder` (worker.js, kernels.wasm), listening on a port of its choice.
 * @param bindings texts in its env; `modules`: files of the folder that it imports as bytes
 */
export async function startWorkerd(
  folder: string,
  {
    bindings = {},
    modules = [],
  }: { readonly bindings?: Readonly<Record<string, string>>; readonly modules?: readonly string[] },
): Promise<RunningWorker> {
  const list = (items: readonly string[]): string => `[${items.join(', ')}]`
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      compatibilityDate = "2026-06-01",
      modules = ${list([
        '(name = "worker.js", esModule = embed "worker.js")',
        '(name = "twotower/kernels.wasm", wasm = embed "kernels.wasm")',
        ...modules.map((name) => `(name = "${name}", data = embed "${name}")`),
      ])},
      bindings = ${list(Object.entries(bindings).map(([name, text]) => `(name = "${name}", text = "${text}")`))},
    )),
    (name = "internet", network = (allow = ["private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`
  writeFileSync(join(folder, 'config.capnp'), config)
  const binary = installed('@cloudflare/workerd-linux-64/bin/workerd') ?? 'workerd'
  const child = spawn(binary, ['serve', '--control-fd=3', 'config.capnp'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  const port = await new Promise<number>((resolve, reject) => {
    let told = ''
    ;(child.stdio[3] as Readable).setEncoding('utf8').on('data', (text: string) => {
      told += text
      const listening = /"event":\s*"listen".*?"port":\s*(\d+)\D/.exec(told)
      if (listening !== null) resolve(Number(listening[1]))
    })
    child.on('error', reject).on('close', () => reject(new Error(`workerd does not start: ${said}`)))
  })
  return {
    address: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill()
      await ended
    },
  }
}
