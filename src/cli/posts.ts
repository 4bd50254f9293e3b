import type { IncomingMessage, ServerResponse } from 'node:http'
import { gzip } from 'node:zlib'
import type { Answer, Answered } from '../serve/answers.ts'
import { acceptsGzip, PACKED, WORTH_PACKING, withoutQuery } from '../serve/app.ts'
import { tooLarge } from '../serve/body.ts'
import { Refusal } from '../serve/refusal.ts'

// The requests that come by the thousand, on Node's own messages: making a Request and a Response of them takes as long as
// parsing, running and writing one row.

/** Whether a request is a POST whose body comes as it is and whole; what is rarer goes the way of all runtimes. */
export const isPlainPost = ({ method, url, headers }: IncomingMessage): boolean =>
  method === 'POST' &&
  url?.startsWith('/') === true &&
  headers['content-length'] !== undefined &&
  headers['content-encoding'] === undefined &&
  headers.expect === undefined

/**
 * Answers what `isPlainPost` says yes to.
 * @param leaving whether the client is told to leave, asked as the answer is written
 */
export async function answerPost(
  answer: Answer,
  request: IncomingMessage,
  response: ServerResponse,
  leaving: () => boolean,
): Promise<void> {
  const { headers } = request
  const answered = await answer({
    method: 'POST',
    path: withoutQuery(request.url ?? '/'),
    authorization: headers.authorization,
    bytes: (most) => bodyOf(request, Number(headers['content-length']), most),
  })
  const send = ({ status, headers }: Answered, body: string | Buffer): void => {
    // The client has gone.
    if (response.destroyed) return
    // A body that nobody read would be taken for the next request.
    if (leaving() || !request.complete) response.shouldKeepAlive = false
    response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) })
    response.end(body)
  }
  if (answered.text.length < WORTH_PACKING || !acceptsGzip(headers['accept-encoding'] as string | undefined)) {
    send(answered, answered.text)
    return
  }
  gzip(answered.text, (error, packed) => {
    if (error === null) send({ ...answered, headers: { ...answered.headers, ...PACKED } }, packed)
    else send(answered, answered.text)
  })
}

/** The body, of a length that was announced. @throws {Refusal} where it is larger than `most`, cut short */
function bodyOf(request: IncomingMessage, length: number, most: number): Promise<Uint8Array> {
  if (length > most) return Promise.reject(tooLarge(most))
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => resolve(parts.length === 1 ? parts[0] : Buffer.concat(parts)))
    request.on('error', () => reject(new Refusal(400, 'the body was cut short')))
  })
}
