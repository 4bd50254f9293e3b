import { createServer } from 'node:http'
import { type AddressInfo, Server as NetServer } from 'node:net'
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
   * leave, then it takes no new connection and waits for what is under way, `most` milliseconds at most.
   */
  drain(grace: number, most: number): Promise<void>
}

/**
 * Google's load balancers keep a connection for ten minutes: who closes first must not be the server, or a request that is
 * sent meanwhile is lost.
 */
const KEEP_ALIVE = 620_000
/** How long a connection that was taken last may be without a request. */
const LINGER = 250

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
  const other = getRequestListener(fetch)
  let leaving = false
  const server = createServer(
    {
      requestTimeout: patience,
      headersTimeout: patience,
      keepAliveTimeout: KEEP_ALIVE,
      connectionsCheckingInterval: Math.min(1000, patience),
    },
    (request, response) => {
      if (leaving) response.shouldKeepAlive = false
      return isPlainPost(request) ? answerPost(answer, request, response) : other(request, response)
    },
  )
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const { address, family, port: taken } = server.address() as AddressInfo
  return {
    address: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`,
    async drain(grace, most) {
      if (grace > 0) {
        leaving = true
        await new Promise((resolve) => setTimeout(resolve, grace))
        // Who is told to leave comes back by a new connection, and one that waits to be taken when the door closes is reset:
        // so for a moment nobody is told.
        leaving = false
        await new Promise((resolve) => setTimeout(resolve, LINGER))
      }
      // Right after the loop has taken the connections that waited: those that it has not are reset.
      await new Promise((resolve) => setImmediate(resolve))
      // Not as HTTP closes: that would end connections too whose request has come but was not read yet.
      const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()))
      leaving = true
      const idle = setInterval(() => setImmediate(() => server.closeIdleConnections()), LINGER)
      const late = setTimeout(() => server.closeAllConnections(), most)
      await closed
      clearInterval(idle)
      clearTimeout(late)
    },
  }
}
