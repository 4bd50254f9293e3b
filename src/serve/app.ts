import { type Context, Hono } from 'hono'
import type { ItemIndex } from '../search/itemindex.ts'
import { readBody } from './body.ts'
import type { Models } from './models.ts'
import { type Contract, NO_OBSERVER, type Observer } from './observer.ts'
import { openapi } from './openapi.ts'
import { errorBody, googleErrorBody, Refusal, refusalOf } from './refusal.ts'
import { answerTensorflow } from './tensorflow.ts'
import { TOWER_PATHS } from './towers.ts'
import { Turn } from './turn.ts'
import { answerVectorSearch } from './vectorsearch.ts'
import { answerVertex } from './vertexai.ts'

/** How requests are received; everything but the models has a default. */
export interface AppOptions {
  /** Bytes that a body may have. */
  readonly maxBody?: number
  /** Requests that are taken at a time; past it they are answered 429. */
  readonly maxRequests?: number
  /** Milliseconds from a request's arrival after which it is not run any more. */
  readonly timeout?: number
  /** Whoever asks must send `Authorization: Bearer TOKEN`; the health route is open. */
  readonly token?: string
  /** Where Vertex AI asks: AIP_HEALTH_ROUTE and AIP_PREDICT_ROUTE. */
  readonly routes?: { readonly health?: string; readonly predict?: string }
  readonly observer?: Observer
  /** What Vector Search's interface answers from and changes. */
  readonly index?: ItemIndex
  /** Whether the server is about to leave: then it is not healthy, though it still answers. */
  readonly leaving?: () => boolean
  /** What /metrics shows. */
  readonly metrics?: () => Promise<{ readonly type: string; readonly text: string }>
}

type Handler = (c: Context) => Response | Promise<Response>

/** Answers shorter than that are sent as they are. */
const WORTH_PACKING = 1024

/** The HTTP interfaces over `models`: TensorFlow Serving's, Vertex AI's, and that of the two towers. */
export function createApp(models: Models, options: AppOptions = {}): Hono {
  const { maxBody = 32 << 20, maxRequests = 1024, timeout = 10_000, observer = NO_OBSERVER } = options
  const { health = '/health', predict = '/predict' } = options.routes ?? {}
  const app = new Hono()
  let taken = 0

  type Work = (c: Context, turn: Turn) => string | Promise<string>
  type Wording = (message: string, status: number) => string

  /** A route: the text of a JSON body, or a refusal, as the contract words it. */
  const route =
    (contract: Contract, work: Work, refused: Wording = errorBody) =>
    async (c: Context) => {
      const start = performance.now()
      let status = 200
      try {
        authorize(c, options.token)
        if (taken >= maxRequests)
          throw new Refusal(429, `${maxRequests} requests are waiting already; try again`, { 'Retry-After': '1' })
        taken++
        try {
          const turn = new Turn(() => readBody(c.req.raw, maxBody), start + timeout, observer)
          return respond(c, await work(c, turn))
        } finally {
          taken--
        }
      } catch (error) {
        const refusal = refusalOf(error)
        if (refusal.status === 500) observer.broke(error)
        status = refusal.status
        return refuse(refusal, refused)
      } finally {
        observer.answered(contract, c.req.method, status, (performance.now() - start) / 1000)
      }
    }

  /** By path, then by method. */
  const routes = new Map<string, Map<string, Handler>>()
  const on = (method: 'GET' | 'POST', path: string, handler: Handler): void => {
    routes.set(path, (routes.get(path) ?? new Map<string, Handler>()).set(method, handler))
  }

  on('GET', health, (c) => {
    if (options.leaving?.() === true) return c.body(errorBody('the server is about to leave'), 503, JSON_TYPE)
    if (!models.ready) return c.body(errorBody('the models are not loaded yet'), 503, JSON_TYPE)
    return c.body('{"status": "ready"}', 200, JSON_TYPE)
  })
  const document = () =>
    JSON.stringify(openapi(models, { health, predict }, options.token !== undefined, options.index))
  on('GET', '/openapi.json', route('other', document))
  const { metrics } = options
  if (metrics !== undefined)
    on('GET', '/metrics', async (c) => {
      try {
        authorize(c, options.token)
      } catch (error) {
        return refuse(refusalOf(error))
      }
      const { type, text } = await metrics()
      return c.body(text, 200, { 'Content-Type': type })
    })
  const vertex: Work = (_, turn) => answerVertex(models, turn)
  on('POST', predict, route('vertex', vertex))
  for (const [path, answer] of Object.entries(TOWER_PATHS)) {
    const towers: Work = (_, turn) => answer(models, turn)
    on('POST', path, route('towers', towers))
  }

  for (const [path, methods] of routes) {
    for (const [method, handler] of methods) app.on(method, path, handler)
    const allowed = [...methods.keys()].join(', ')
    const wrongMethod: Work = (c) => {
      throw new Refusal(405, `${path} takes ${allowed}, not ${c.req.method}`, { Allow: allowed })
    }
    app.all(path, route('other', wrongMethod))
  }
  const { index } = options
  if (index !== undefined) {
    const vectorSearch = route(
      'vector-search',
      (c, turn) => answerVectorSearch(index, c.req.method, pathOf(c.req.url), turn),
      googleErrorBody,
    )
    app.all('/v1/projects/*', vectorSearch)
    app.all('/v1beta1/projects/*', vectorSearch)
  }
  const tensorflow = route('tensorflow', (c, turn) => answerTensorflow(models, c.req.method, pathOf(c.req.url), turn))
  // Its paths are of any case; written out, because a pattern would have the slower router take all.
  app.all('/v1/*', tensorflow)
  app.all('/V1/*', tensorflow)
  app.notFound(
    route('other', (c) => {
      throw new Refusal(404, `there is no ${c.req.method} ${pathOf(c.req.url)}`)
    }),
  )
  return app
}

const refuse = (
  { message, status, headers }: Refusal,
  body: (message: string, status: number) => string = errorBody,
): Response => new Response(body(message, status), { status, headers: { ...JSON_TYPE, ...headers } })

const JSON_TYPE = { 'Content-Type': 'application/json' }
/** Of headers as an object Node's adapter makes no Headers, as it must of hono's own. */
const PLAIN = { headers: JSON_TYPE }

/** The path of a request as it was sent: a router's own is decoded. */
function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  const end = url.slice(start).search(/[?#]/)
  return start < 0 ? '/' : end < 0 ? url.slice(start) : url.slice(start, start + end)
}

function respond(c: Context, text: string): Response {
  if (text.length < WORTH_PACKING || !/\bgzip\b/.test(c.req.header('accept-encoding') ?? ''))
    return new Response(text, PLAIN)
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'))
  return new Response(packed, { headers: { ...JSON_TYPE, 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' } })
}

/** @throws {Refusal} 401 where a token is wanted and another came, or none */
function authorize(c: Context, token: string | undefined): void {
  if (token === undefined) return
  const [, given = ''] = /^Bearer +(.*)$/i.exec(c.req.header('authorization') ?? '') ?? []
  // Every character is compared, so that the time tells nothing of how many are right.
  let apart = given.length ^ token.length
  for (let i = 0; i < token.length; i++) apart |= token.charCodeAt(i) ^ given.charCodeAt(i % (given.length || 1))
  if (apart !== 0) throw new Refusal(401, 'a bearer token is wanted', { 'WWW-Authenticate': 'Bearer' })
}
