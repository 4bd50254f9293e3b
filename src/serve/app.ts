import { Hono } from 'hono'
import { type Answer, type Answered, type AppOptions, answersOf } from './answers.ts'
import { readBody } from './body.ts'
import type { Models } from './models.ts'

/** Answers shorter than that are sent as they are. */
export const WORTH_PACKING = 1024

/** The HTTP interfaces over `models` as an app of Hono's, for whatever speaks in requests and responses. */
export const createApp = (models: Models, options: AppOptions = {}): Hono => appOver(answersOf(models, options))

/** The same where the answers are at hand. */
export const appOver = (answer: Answer): Hono =>
  new Hono().all('*', async ({ req }) => {
    const { raw } = req
    const answered = await answer({
      method: req.method,
      path: pathOf(raw.url),
      authorization: req.header('authorization'),
      bytes: (most) => readBody(raw, most),
    })
    return respond(answered, acceptsGzip(req.header('accept-encoding')))
  })

/** The path of a request as it was sent: a router's own is decoded. */
function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  return start < 0 ? '/' : withoutQuery(url.slice(start))
}

/** A request's target without what follows its path. */
export function withoutQuery(target: string): string {
  const end = target.search(/[?#]/)
  return end < 0 ? target : target.slice(0, end)
}

/** Whether an Accept-Encoding header lets an answer be gzip: a weight of 0 says that it must not be (RFC 9110, 12.4.2). */
export const acceptsGzip = (encodings = ''): boolean =>
  encodings.split(',').some((each) => {
    const [coding, ...parameters] = each.split(';').map((part) => part.trim().toLowerCase())
    return coding === 'gzip' && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter))
  })

/** What an answer in gzip says of itself. */
export const PACKED = { 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' }

function respond({ status, headers, text }: Answered, gzip: boolean): Response {
  if (!gzip || text.length < WORTH_PACKING) return new Response(text, { status, headers })
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'))
  return new Response(packed, { status, headers: { ...headers, ...PACKED } })
}
