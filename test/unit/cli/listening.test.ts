import { on } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { LINGER, type Listening, listen } from '../../../src/cli/listening.ts'
import type { Answer } from '../../../src/serve/answers.ts'
import { appOver } from '../../../src/serve/app.ts'

const POST = 'POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'
const GET = 'GET /get HTTP/1.1\r\nHost: x\r\n\r\n'
/** Longer than any test: what is late then is never. */
const EVER = 60_000

/** A server whose requests, of either way, are answered with what `text` gives. */
function serving(text: () => string | Promise<string>): Promise<Listening> {
  const answer: Answer = async () => ({ status: 200, headers: {}, text: await text() })
  const options = { host: '127.0.0.1', port: 0, patience: EVER }
  return listen(answer, async () => new Response(await text()), options)
}

/** Sends `request` over a connection of its own; what comes back until the server ends it, or the error. */
function ask({ address }: Listening, request: string, reading: Promise<void> = Promise.resolve()): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(address).port), '127.0.0.1')
    socket.pause().write(request)
    const got: Buffer[] = []
    socket.on('data', (part) => got.push(part))
    reading.then(() => socket.resume())
    socket.on('error', ({ message }) => resolve(message))
    socket.on('end', () => socket.end())
    socket.on('close', () => resolve(Buffer.concat(got).toString()))
  })
}

/** A promise to be kept by the test. */
function gate() {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

/** Returns when the server takes no new connection. */
async function closed({ address }: Listening): Promise<void> {
  const port = Number(new URL(address).port)
  const tried = () =>
    new Promise<string | undefined>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.destroy())
      socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code))
      socket.on('close', () => resolve(undefined))
    })
  while ((await tried()) !== 'ECONNREFUSED');
}

describe('a server', () => {
  test.each([
    ['HTTP/1.0 without a host, as a health check sends it', 'GET /get HTTP/1.0\r\n\r\n'],
    ['a POST in HTTP/1.0', POST.replace('1.1\r\nHost: x', '1.0')],
    ['the address of a whole URL', GET.replace('/get', 'http://x/get')],
    ['the address of a whole URL in a POST', POST.replace('/post', 'http://x/post')],
  ])('takes %s', async (_, request) => {
    const paths: string[] = []
    const answer: Answer = async ({ path }) => {
      paths.push(path)
      return { status: 200, headers: {}, text: 'an answer' }
    }
    const options = { host: '127.0.0.1', port: 0, patience: EVER }
    const listening = await listen(answer, appOver(answer).fetch, options)
    const asked = ask(listening, request.replace('\r\n', '\r\nConnection: close\r\n'))
    expect(await asked).toMatch(/^HTTP\/1\.1 200 OK\r\n.*an answer/s)
    expect(paths).toEqual([request.includes('/get') ? '/get' : '/post'])
    await listening.drain(0, 0)
  })
})

describe('a server that leaves', () => {
  test('takes all connections that wait to be taken before it closes its door', async () => {
    // Each keeps the loop from taking the next, all of them for longer than anybody lingers.
    const listening = await serving(() => {
      const end = performance.now() + LINGER / 8
      while (performance.now() < end);
      return 'an answer'
    })
    const asked = Array.from({ length: 20 }, (_, i) => ask(listening, i % 2 === 0 ? POST : GET))
    await listening.drain(0, EVER)
    for (const got of await Promise.all(asked)) expect(got).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nan answer$/s)
  })

  test('tells whose answer is under way as its door closes to leave', async () => {
    const [come, answered] = [gate(), gate()]
    let underWay = 0
    const listening = await serving(async () => {
      if (++underWay === 2) come.open()
      await answered.opened
      return 'late'
    })
    const asked = [POST, GET].map((request) => ask(listening, request))
    await come.opened
    const drained = listening.drain(0, EVER)
    await closed(listening)
    answered.open()
    for (const got of await Promise.all(asked)) expect(got).toMatch(/\r\nconnection: close\r\n.*late$/is)
    await drained
  })

  test('answers over a kept connection whoever is away for less than its grace', async () => {
    // The time is the test's; messages go as they go.
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'performance'] })
    try {
      const listening = await serving(() => 'an answer')
      const grace = 4 * LINGER
      const drained = listening.drain(grace, EVER)
      await vi.advanceTimersByTimeAsync(grace)
      const socket = connect(Number(new URL(listening.address).port), '127.0.0.1').setEncoding('utf8')
      const asked = async (request: string): Promise<string> => {
        if (socket.readableEnded) return 'the server has ended it'
        socket.write(request)
        let got = ''
        for await (const part of on(socket, 'data', { close: ['close'] })) {
          got += part
          if (got.endsWith('an answer')) break
        }
        return got
      }
      expect(await asked(POST)).toMatch(/connection: keep-alive\r\n.*an answer/is)
      await vi.advanceTimersByTimeAsync(LINGER)
      await closed(listening)
      await vi.advanceTimersByTimeAsync(grace - 2 * LINGER)
      expect(await asked(GET)).toMatch(/connection: close\r\n.*an answer/is)
      await drained
    } finally {
      vi.useRealTimers()
    }
  })

  test('ends no connection over which an answer is still on its way, however slowly it is read', async () => {
    const answer = 'a long answer'.repeat(2 ** 21)
    const [come, reading] = [gate(), gate()]
    const listening = await serving(() => {
      come.open()
      return answer
    })
    const asked = ask(listening, POST, reading.opened)
    await come.opened
    await sleep(LINGER)
    const drained = listening.drain(0, EVER)
    await closed(listening)
    await sleep(2 * LINGER)
    reading.open()
    const got = await asked
    expect(got.slice(got.indexOf('\r\n\r\n') + 4).length).toBe(answer.length)
    await drained
  })
})
