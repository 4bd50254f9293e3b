import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { LINGER } from '../../src/cli/listening.ts'
import { MAIN, model, run, scratch } from './command.ts'

const folder = scratch()
const started: ChildProcess[] = []
afterAll(() => {
  for (const child of started) child.kill('SIGKILL')
})

interface Server {
  readonly child: ChildProcess
  readonly address: string
  readonly port: number
  /** What it wrote on standard error until now. */
  stderr(): string
  /** Sends it SIGTERM; resolves with its status once it has ended. */
  stop(): Promise<number | null>
}

/** Starts `twotower serve` on a free port; resolves when it is ready. */
function serve(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Server> {
  const child = spawn(process.execPath, [MAIN, 'serve', '--port', '0', '--grace', '100', ...args], {
    env: { ...process.env, ...env },
  })
  started.push(child)
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return new Promise((resolve, reject) => {
    ended.then((status) => reject(new Error(`ended with ${status}: ${stderr}`)))
    // Both streams have come to here by ways of their own, in pieces of any size.
    let stdout = ''
    const ready = (text: string) => {
      stdout += text
      const address = /^.* at (http:\/\/[^/]+)\/.*\n/m.exec(stdout)?.[1]
      if (address === undefined) return
      child.stdout.off('data', ready)
      resolve({
        child,
        address,
        port: Number(new URL(address).port),
        stderr: () => stderr,
        stop() {
          child.kill('SIGTERM')
          return ended
        },
      })
    }
    child.stdout.setEncoding('utf8').on('data', ready)
  })
}

const QUERY = { signature_name: 'query', instances: ['1'] }
const TOWERS = model('tower_signatures')

const path = '/v1/models/m:predict'
const head = `POST ${path} HTTP/1.1\r\nHost: m\r\n`

const ask = async (
  { address }: Server,
  path: string,
  body: unknown = QUERY,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly body: Record<string, never> }> => {
  const response = await fetch(`${address}${path}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers,
  })
  return { status: response.status, body: (await response.json()) as Record<string, never> }
}

const status = async ({ address }: Server, path: string) => (await fetch(`${address}${path}`)).status

/** Waits until it holds. @param what what is waited for */
async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(20)) if (await holds()) return
  throw new Error(`a minute is over, and still not: ${what}`)
}

/** Clients that ask over kept connections, one request after the other, until they are stopped or the server is gone. */
function clients({ port }: Server, count: number, path: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: count })
  const found = { answers: 0, wrong: [] as string[] }
  let stopped = false
  /** @param late whether the server may have seen nothing of this client for longer than it waits for its next request */
  const once = (late: boolean) =>
    new Promise<boolean>((resolve) => {
      const body = JSON.stringify(QUERY)
      const headers = { 'content-length': body.length }
      const sent = request({ host: '127.0.0.1', port, path, method: 'POST', agent, headers }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part
        })
        response.on('end', () => {
          if (response.statusCode === 200 && text.startsWith('{"predictions": [[')) found.answers++
          else found.wrong.push(`${response.statusCode} ${text}`)
          resolve(true)
        })
      })
      sent.on('error', ({ code }: NodeJS.ErrnoException) => {
        // A server that has gone takes no connection; whatever it took it must answer.
        const gone = code === 'ECONNREFUSED'
        if (!gone && !late) found.wrong.push(`${code}`)
        resolve(!gone)
      })
      sent.end(body)
    })
  const done = Promise.all(
    Array.from({ length: count }, async () => {
      for (let [asked, isAnswered] = [performance.now(), true]; isAnswered && !stopped; ) {
        // This process may be kept from its work for longer than that, with the last answer unread.
        const late = performance.now() - asked > LINGER
        asked = performance.now()
        isAnswered = await once(late)
      }
    }),
  )
  return {
    found,
    async stop() {
      stopped = true
      await done
      agent.destroy()
    },
    gone: done,
  }
}

/** Writes `text` to the server's port as it is; resolves with what came back when the connection ends. */
const raw = ({ port }: Server, text: string | Buffer, end = false): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => (end ? socket.end(text) : socket.write(text)))
    let got = ''
    socket.setEncoding('utf8').on('data', (part: string) => {
      got += part
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(got))
  })

describe.concurrent('serve', () => {
  test('answers on loopback, logs no payload, and ends with 0 when it is told to', async () => {
    const server = await serve([TOWERS, '--name', 'movies', '--log-requests'])
    expect(server.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect((await ask(server, '/v1/models/movies:predict')).body.predictions).toHaveLength(1)
    expect((await ask(server, '/v1/models/movies:predict', { instances: ['a secret'] })).status).toBe(400)
    expect(await status(server, '/health')).toBe(200)
    const metrics = await (await fetch(`${server.address}/metrics`)).text()
    expect(metrics).toContain('twotower_requests_total{contract="tensorflow",status="200"} 1')
    expect(metrics).toContain('twotower_model_version{model="movies"} 1')
    for (const stage of ['decode', 'queue', 'run', 'encode'])
      expect(metrics).toContain(`twotower_stage_seconds_count{stage="${stage}"} 1`)
    expect(await server.stop()).toBe(0)
    const events = server
      .stderr()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly event: string })
    expect(events.map(({ event }) => event)).toEqual(['listening', 'loaded', 'answered', 'answered', 'leaving', 'left'])
    expect(server.stderr()).not.toMatch(/secret|query/)
  })

  test('counts what its vocabularies do not have, of versions that come later too', async () => {
    const folder1 = join(folder, 'counted')
    cpSync(TOWERS, folder1, { recursive: true })
    const server = await serve([folder1, '--name', 'movies', '--poll', '0.1'])
    const counts = async () => {
      const page = await (await fetch(`${server.address}/metrics`)).text()
      return ['lookups', 'out_of_vocabulary'].map((name) =>
        Number(new RegExp(`twotower_${name}_total\\{model="movies",feature="user_id"\\} (\\d+)`).exec(page)?.[1]),
      )
    }
    const some = { ...QUERY, instances: ['1', 'nobody', '40'] }
    expect((await ask(server, '/v1/models/movies:predict', some)).status).toBe(200)
    expect(await counts()).toEqual([3, 1])
    writeFileSync(join(folder1, 'touched'), '')
    await until('the model is loaded again', () => server.stderr().split('"loaded"').length === 3)
    expect((await ask(server, '/v1/models/movies:predict', some)).status).toBe(200)
    expect(await counts()).toEqual([6, 2])
    await server.stop()
  })

  test('goes on when nobody reads its log any more', async () => {
    const server = await serve([TOWERS, '--name', 'm', '--log-requests'])
    server.child.stdout?.destroy()
    server.child.stderr?.destroy()
    for (let i = 0; i < 5; i++) expect((await ask(server, '/v1/models/m:predict')).status).toBe(200)
    expect(await server.stop()).toBe(0)
  })

  test('loses no request when it is told to end', async () => {
    const server = await serve([TOWERS, '--name', 'm'])
    const { found, gone } = clients(server, 8, '/v1/models/m:predict')
    await until('fifty are answered', () => found.answers > 50)
    const stopped = server.stop()
    await gone
    expect(await stopped).toBe(0)
    expect(found.wrong).toEqual([])
  })

  test('serves a new version, and then retires the old one, without a request that fails', async () => {
    const versions = join(folder, 'versions')
    cpSync(TOWERS, join(versions, '1'), { recursive: true })
    const server = await serve([versions, '--name', 'm', '--poll', '0.1'])
    const asking = clients(server, 4, '/v1/models/m:predict')
    // File by file, as a copy over a network comes.
    mkdirSync(join(versions, '2'))
    cpSync(join(TOWERS, 'saved_model.pb'), join(versions, '2', 'saved_model.pb'))
    await sleep(300)
    cpSync(TOWERS, join(versions, '2'), { recursive: true })
    await until(
      'the first version is retired',
      async () => (await status(server, '/v1/models/m/versions/1/metadata')) === 404,
    )
    expect((await ask(server, '/v1/models/m/versions/2:predict')).status).toBe(200)
    expect((await ask(server, '/v1/models/m/versions/1:predict')).status).toBe(404)
    await asking.stop()
    expect(asking.found.wrong).toEqual([])
    expect(asking.found.answers).toBeGreaterThan(10)
    await server.stop()
  })

  test('goes on with the version it has where a new one is broken, and takes a model that is replaced', async () => {
    const versions = join(folder, 'broken')
    cpSync(TOWERS, join(versions, '0001'), { recursive: true })
    const server = await serve([versions, '--name', 'm', '--poll', '0.1', '--label', 'stable=1'])
    mkdirSync(join(versions, '5'))
    writeFileSync(join(versions, '5', 'saved_model.pb'), 'no model')
    const states = async () =>
      ((await (await fetch(`${server.address}/v1/models/m`)).json()) as Record<string, Record<string, unknown>[]>)
        .model_version_status
    await until('the fifth version has failed', async () => (await states())[1]?.state === 'END')
    expect((await states())[0]).toMatchObject({ version: '1', state: 'AVAILABLE' })
    expect((await states())[1]).toMatchObject({ version: '5', status: { error_code: 'UNKNOWN' } })
    expect((await ask(server, '/v1/models/m/labels/stable:predict')).status).toBe(200)
    rmSync(join(versions, '5'), { recursive: true })
    const other = join(folder, 'other')
    cpSync(model('fused_dot'), other, { recursive: true })
    renameSync(join(versions, '0001'), join(folder, 'old'))
    renameSync(other, join(versions, '0001'))
    await until('the other model answers', async () => (await ask(server, '/v1/models/m:predict')).status === 400)
    expect((await ask(server, '/v1/models/m:predict')).body.error).toBe(
      'Serving signature name: "query" not found in signature def',
    )
    await server.stop()
  })

  test('listens where Vertex AI says, with its routes and its model', async () => {
    const server = await serve([], {
      AIP_HTTP_PORT: '0',
      AIP_HEALTH_ROUTE: '/v1/endpoints/1/deployedModels/2',
      AIP_PREDICT_ROUTE: '/v1/endpoints/1/deployedModels/2:predict',
      AIP_STORAGE_URI: TOWERS,
    })
    expect(server.address).toMatch(/^http:\/\/0\.0\.0\.0:\d+$/)
    expect(await status(server, '/v1/endpoints/1/deployedModels/2')).toBe(200)
    const { status: code, body } = await ask(server, '/v1/endpoints/1/deployedModels/2:predict', {
      instances: [{ data: '{"user_id": ["1"]}', key: 'k' }],
      parameters: { signature_name: 'query' },
    })
    expect(code).toBe(200)
    expect(body.predictions).toEqual([{ key: 'k', encoding: expect.any(Array) }])
    await server.stop()
  })

  test('wants a token where it has one', async () => {
    const file = join(folder, 'token')
    writeFileSync(file, 'open sesame\n')
    const server = await serve([TOWERS, '--name', 'm', '--token-file', file])
    expect((await ask(server, path)).status).toBe(401)
    expect((await ask(server, path, QUERY, { authorization: 'Bearer open' })).status).toBe(401)
    expect((await ask(server, path, QUERY, { authorization: 'Bearer open sesame' })).status).toBe(200)
    expect(await status(server, '/metrics')).toBe(401)
    expect(await status(server, '/health')).toBe(200)
    await server.stop()
  })

  test('stays up whatever comes', async () => {
    const server = await serve([TOWERS, '--name', 'm', '--max-body', '100000'])
    expect((await ask(server, path, 'x'.repeat(100_001))).status).toBe(413)
    const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`
    expect(
      await raw(server, `${head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n${chunk.repeat(5)}0\r\n\r\n`),
    ).toMatch(/^HTTP\/1\.1 413 /)
    expect((await ask(server, path, '['.repeat(90_000))).status).toBe(400)
    expect(
      (await ask(server, path, `{"signature_name": "query", "instances": ${'['.repeat(40_000)}1${']'.repeat(40_000)}}`))
        .status,
    ).toBe(400)
    expect(await raw(server, 'NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
    expect(
      await raw(
        server,
        Buffer.concat([
          Buffer.from(`${head}Content-Length: 3\r\nConnection: close\r\n\r\n`),
          Buffer.from([0x22, 0xff, 0x22]),
        ]),
      ),
    ).toContain('not UTF-8')
    // Clients that leave: in the middle of the body, and before the answer.
    await raw(server, `${head}Content-Length: 50\r\n\r\n{`, true)
    const body = JSON.stringify(QUERY)
    const leaving = connect(server.port, '127.0.0.1', () => {
      leaving.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`)
      leaving.destroy()
    })
    for (const name of ['..', '%2e%2e', '%2e%2e%2f%2e%2e%2fetc', '__proto__', '%00', '%ff', 'm%2fversions%2f1'])
      expect(
        await raw(
          server,
          `POST /v1/models/${name}:predict HTTP/1.1\r\nHost: m\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
        ),
      ).toMatch(/^HTTP\/1\.1 404 /)
    expect(await raw(server, 'GET /../../etc/passwd HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 404 /,
    )
    expect((await ask(server, path)).status).toBe(200)
    expect(server.stderr()).not.toContain('"broke"')
    expect(await server.stop()).toBe(0)
  })

  test('waits for no body for ever, and takes no more requests than it has room for', async () => {
    // Bodies that are announced and do not come.
    const late = `${head}Content-Length: 50\r\n\r\n{`
    const hasty = await serve([TOWERS, '--name', 'm', '--timeout', '200'])
    expect(await raw(hasty, late)).toMatch(/^(HTTP\/1\.1 408 |$)/)
    const narrow = await serve([TOWERS, '--name', 'm', '--timeout', '60000', '--max-requests', '4'])
    const slow = Array.from({ length: 4 }, () =>
      connect(narrow.port, '127.0.0.1', function (this: Socket) {
        this.write(late)
      }),
    )
    await until('there is no room', async () => (await ask(narrow, path)).status === 429)
    for (const socket of slow) socket.destroy()
    await until('there is room again', async () => (await ask(narrow, path)).status === 200)
    for (const server of [hasty, narrow]) expect(await server.stop()).toBe(0)
  })

  test('says what is wrong with how it is called', async () => {
    const wrong: readonly (readonly [readonly string[], number, RegExp])[] = [
      [[], 2, /name a model/],
      [[TOWERS, '--port', '70000'], 2, /--port wants a number up to 65535, got "70000"/],
      [[TOWERS, '--cors', 'shop.example'], 2, /--cors wants an origin, as https:.*got "shop.example"/],
      [[TOWERS, '--max-wait', '-1'], 2, /--max-wait wants a number that is not negative/],
      [[TOWERS, '--label', 'stable'], 2, /--label wants \[MODEL:\]LABEL=VERSION/],
      [[TOWERS, '--label', 'other:stable=1'], 2, /a model that is not served: "other"/],
      [[TOWERS, model('fused_dot'), '--name', 'm'], 2, /--name is for one model/],
      [[TOWERS, TOWERS], 2, /two folders are called "tower_signatures"/],
      [[join(TOWERS, 'saved_model.pb')], 1, /is a file; give the folder that holds it/],
      [[join(TOWERS, 'variables'), '--port', '0'], 1, /saved_model\.pb: missing/],
      [[TOWERS, '--port', '0', '--host', '192.0.2.1'], 1, /EADDRNOTAVAIL|192\.0\.2\.1/],
    ]
    for (const [args, code, said] of wrong) {
      const { status, stdout, stderr } = await run(['serve', ...args])
      expect({ args, status, stdout }).toEqual({ args, status: code, stdout: '' })
      expect(stderr).toMatch(said)
    }
  })
})
