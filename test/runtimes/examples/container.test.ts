import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, inject, test } from 'vitest'

const app = inject('app')
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const DOCKERFILE = readFileSync(join(ROOT, 'examples/serve/Dockerfile'), 'utf8').replaceAll('\\\n', '')

/** What npm's lock file says of a package. */
interface Locked {
  readonly dev?: true
  readonly devOptional?: true
  readonly optional?: true
  readonly peer?: true
}

/** What the image may take in all, and what Alpine and its Node may take of it: see the Dockerfile. */
const [MOST, BASE] = [120e6, 104e6]

/** The words of the only line `name …` in the Dockerfile's last stage. */
function line(name: string): string {
  const lines = DOCKERFILE.slice(DOCKERFILE.lastIndexOf('\nFROM')).split('\n')
  const found = lines.filter((each) => each.startsWith(`${name} `))
  expect(found, name).toHaveLength(1)
  return found[0].slice(name.length + 1)
}

/** Bytes in the files of a folder. */
const sizeOf = (folder: string): number =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, status) => sum + (status.isFile() ? status.size : 0), 0)

describe('the container', () => {
  const image = mkdtempSync(join(tmpdir(), 'twotower-image-'))
  const modules = join(image, 'app/node_modules')
  afterAll(() => rmSync(image, { recursive: true }))

  test('has packages that leave room for Alpine and Node', () => {
    // What npm would install: the packed package, and what it depends on as it lies here.
    chmodSync(image, 0o755)
    mkdirSync(modules, { recursive: true })
    cpSync(join(app.folder, 'node_modules/twotower'), join(modules, 'twotower'), { recursive: true })
    const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      readonly packages: Readonly<Record<string, Locked>>
    }
    const wanted = Object.entries(packages).filter(
      ([path, { dev, devOptional, optional, peer }]) => path !== '' && !(dev ?? devOptional ?? optional ?? peer),
    )
    expect(wanted.length).toBeGreaterThan(14)
    for (const [path] of wanted) cpSync(join(ROOT, path), join(image, 'app', path), { recursive: true })
    expect(sizeOf(modules)).toBeGreaterThan(MOST - BASE)
    const pruning = DOCKERFILE.split('\n').filter((each) => each.startsWith('RUN cd /app/node_modules '))
    expect(pruning).toHaveLength(1)
    execFileSync('sh', ['-ec', pruning[0].slice('RUN '.length).replaceAll('/app/', `${image}/app/`)])
    expect(sizeOf(modules)).toBeLessThan(MOST - BASE)
  })

  test('serves a model by those files alone, as nobody, where Vertex AI says', async () => {
    const user = Number(line('USER').split(':')[0])
    expect(user).toBeGreaterThan(0)
    expect(line('COPY')).toBe('--from=build /app/node_modules /app/node_modules')
    cpSync(join(app.folder, 'weights/demo/candidate_model'), join(image, 'model'), { recursive: true })
    const inImage = (path: string) => (path === '/usr/bin/node' ? process.execPath : path.replace(/^\//, image + sep))
    const [program, ...args] = [...JSON.parse(line('ENTRYPOINT')), ...JSON.parse(line('CMD'))].map(inImage) as string[]
    const server = spawn(program, args, {
      cwd: '/',
      // Only root can become somebody else.
      ...(process.getuid?.() === 0 && { uid: user, gid: user }),
      env: { NODE_ENV: 'production', AIP_HTTP_PORT: '0', AIP_HEALTH_ROUTE: '/alive', AIP_PREDICT_ROUTE: '/ask' },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const ended = once(server, 'close')
    let said = ''
    server.stderr.on('data', (text) => {
      said += text
    })
    try {
      const told = () => /"address":"(.*?)"/.exec(said)?.[1].replace('0.0.0.0', '127.0.0.1')
      const address = await until('it says where it listens', told)
      await until('it is alive', async () => (await fetch(`${address}/alive`)).ok || undefined)
      if (process.getuid?.() === 0)
        expect(readFileSync(`/proc/${server.pid}/status`, 'utf8')).toMatch(new RegExp(`^Uid:\\s+${user}\\s`, 'm'))
      const [row] = readFileSync(join(app.folder, 'weights/demo/films.jsonl'), 'utf8').split('\n')
      // Vertex AI keeps the key field to itself.
      const { id: _, ...instance } = JSON.parse(row) as Record<string, unknown>
      const ask = (path: string) =>
        fetch(`${address}${path}`, { method: 'POST', body: JSON.stringify({ instances: [instance] }) })
      const answer = await ask('/ask')
      expect([answer.status, await answer.json()]).toEqual([200, { predictions: [expect.any(Array)] }])
      expect((await ask('/v1/models/model:predict')).status).toBe(200)
      expect((await fetch(`${address}/metrics`)).status).toBe(200)
    } finally {
      server.kill()
      await ended
    }
  })
})

/** What `ask` gives once it gives something. @param what what is waited for */
async function until<T>(what: string, ask: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (const end = performance.now() + 60_000; performance.now() < end; await sleep(25)) {
    const answer = await ask()
    if (answer !== undefined) return answer
  }
  throw new Error(`a minute is over, and still not: ${what}`)
}
