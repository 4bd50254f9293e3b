// The package as its user gets it, packed and unpacked beside the data of the cases, and a server of that folder.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import type { App } from './runtime.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    app: App
  }
}

const HERE = fileURLToPath(new URL('.', import.meta.url))
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const SCRIPTS = [
  'cases.mjs',
  'goldens.mjs',
  'main.mjs',
  'bundlers/app.mjs',
  'bundlers/main.mjs',
  'workerd/worker.mjs',
  'chromium/here.mjs',
  'chromium/page.mjs',
  'chromium/worker.mjs',
]

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  execFileSync(process.execPath, [join(HERE, 'install.mjs')], { stdio: 'inherit' })
  const folder = unpack()
  // Kept connections are the clients' to close: on a busy machine they would meet one that the server closes just then.
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    readFile(join(folder, decodeURIComponent(pathname))).then(
      (bytes) => response.writeHead(200, headersOf(pathname)).end(bytes),
      () => response.writeHead(404).end('not found'),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  project.provide('app', { folder, address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  return async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    rmSync(folder, { recursive: true })
  }
}

/** A folder with twotower in its node_modules, the demo converted, the fixtures and the scripts of the cases. */
function unpack(): string {
  mkdirSync(join(ROOT, 'build'), { recursive: true })
  const folder = mkdtempSync(join(ROOT, 'build/app-'))
  const twotower = join(folder, 'node_modules/twotower')
  mkdirSync(twotower, { recursive: true })
  // Not its scripts, which build anew: dist is built.
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: ROOT,
  })
  const [{ filename }] = JSON.parse(packed.toString()) as [{ filename: string }]
  execFileSync('tar', ['-xzf', join(folder, filename), '-C', twotower, '--strip-components=1'])
  // A package of its own: within ours, Node would find ours by its name before it looks into node_modules.
  writeFileSync(join(folder, 'package.json'), '{"private": true}')
  for (const name of ['weights', 'test']) symlinkSync(join(ROOT, name), join(folder, name))
  for (const name of SCRIPTS) cpSync(join(HERE, name), join(folder, name))
  const towers = ['query', 'candidate'].flatMap((side) => [`--${side}`, join(ROOT, `weights/demo/${side}_model`)])
  const main = join(twotower, 'dist/cli/main.js')
  execFileSync(process.execPath, [main, 'convert', ...towers, '-o', join(folder, 'movies')])
  return folder
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
}

/** A page may run the scripts of this server and compile WebAssembly; it may make no code out of text. */
const headersOf = (path: string): Record<string, string> => ({
  'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
  'content-security-policy': "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'",
})
