import { createServer } from 'node:http'
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Answer } from '../serve/answers.ts'
import { answerPost, isPlainPost } from './posts.ts'

export interface ListenOptions {
  readonly host: string
  readonly port: number
  /** Milliseconds that a request's headers and body may take to arrive. */
  readonly patience: number
}

/** A server that takes requests. */
export interface Listening {
  /** `http://host:port`. */
  readonly address: string
  /**
   * Ends it without losing a request: for `grace` milliseconds it still answers whatever comes and tells each client to
   * leave, then it takes no new connection, waits for what is under way, and as long again for the next request of whoever was
   * not told; `most` milliseconds at most.
   */
  drain(grace: number, most: number): Promise<void>
}

/**
 * Google's load balancers keep a connection for ten minutes: who closes first must not be the server, or a request that is
 * sent meanwhile is lost.
 */
const KEEP_ALIVE = 620_000
/**
 * Milliseconds that whoever is told to leave has to come back, and the least that who is told to stay has for his next request:
 * within them, and within the grace, no request is lost. Of a client that is away for longer, one may be.
 */
export const LINGER = 250
/** Connections that wait to be taken at most. */
const BACKLOG = 511

/**
 * Listens for requests.
 * @param answer for those that come by the thousand
 * @param fetch for the others
 * @throws where the address is taken or not ours
 */
export async function listen(
  answer: Answer,
  fetch: (request: Request) => Response | Promise<Response>,
  { host, port, patience }: ListenOptions,
): Promise<Listening> {
  let leaving = false
  /** Each connection, and when it was last told to stay: when it was taken, or when its last answer was sent. */
  const connections = new Map<Socket, number>()
  // Told as an answer is written, not as its request comes: one that was under way when the door closed would be told to stay.
  const other = getRequestListener(
    async (request) => {
      const response = await fetch(request)
      if (leaving) response.headers.set('Connection', 'close')
      return response
    },
    // Of requests in HTTP/1.0, as health checks of older proxies are, which need not name one.
    { hostname: 'localhost' },
  )
  const server = createServer(
    {
      requestTimeout: patience,
      headersTimeout: patience,
      keepAliveTimeout: KEEP_ALIVE,
      connectionsCheckingInterval: Math.min(1000, patience),
    },
    (request, response) => {
      const { socket } = request
      response.once('finish', () => connections.has(socket) && connections.set(socket, performance.now()))
      return isPlainPost(request) ? answerPost(answer, request, response, () => leaving) : other(request, response)
    },
  )
  let taken = 0
  server.on('connection', (connection) => {
    taken++
    connections.set(connection, performance.now())
    connection.once('close', () => connections.delete(connection))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, BACKLOG, () => {
      server.off('error', reject)
      resolve()
    })
  })
  /**
   * Waits until a turn of the loop takes no connection: a turn takes one at most. So many are taken as may wait, however long
   * that takes: who comes after them comes as the door closes.
   */
  const allTaken = async (): Promise<void> => {
    const most = taken + BACKLOG
    let before: number
    do {
      before = taken
      await turn()
      await turn()
    } while (taken > before && taken < most)
  }
  const { address, family, port: own } = server.address() as AddressInfo
  return {
    address: `http://${family === 'IPv6' ? `[${address}]` : address}:${own}`,
    async drain(grace, most) {
      if (grace > 0) {
        leaving = true
        await new Promise((resolve) => setTimeout(resolve, grace))
        // Who is told to leave comes back by a new connection, and one that waits to be taken when the door closes is reset:
        // so for a moment nobody is told.
        leaving = false
        await new Promise((resolve) => setTimeout(resolve, LINGER))
      }
      // Connections that wait to be taken when the door closes are reset: many do where the loop was kept from its work.
      await allTaken()
      // Not as HTTP closes: that would end connections too whose request has come but was not read yet.
      const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()))
      leaving = true
      const patience = Math.max(grace, LINGER)
      // Node takes a connection for idle whose answer is written, though a slow reader has not been sent all of it.
      const isForgotten = ([{ writableLength }, stayed]: [Socket, number]): boolean =>
        writableLength === 0 && performance.now() - stayed >= patience
      const closeIdle = (): void => {
        if ([...connections].every(isForgotten)) server.closeIdleConnections()
      }
      // Not before requests are read that have come.
      const idle = setInterval(() => setImmediate(closeIdle), LINGER)
      const late = setTimeout(() => server.closeAllConnections(), most)
      await closed
      clearInterval(idle)
      clearTimeout(late)
    },
  }
}

/** The rest of this turn of the loop, or the whole next one. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
