import { jsonText } from '../json/text.ts'
import type { ItemIndex } from '../search/itemindex.ts'
import { forPages, isOrigin } from './cors.ts'
import type { Models } from './models.ts'
import { type Contract, NO_OBSERVER, type Observer } from './observer.ts'
import { openapi } from './openapi.ts'
import { errorBody, googleErrorBody, Refusal, refusalOf, wrongMethod } from './refusal.ts'
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
  /** The origin whose pages may ask, or `*`; by default pages of no other origin. */
  readonly cors?: string
  readonly observer?: Observer
  /** What Vector Search's interface answers from and changes. */
  readonly index?: ItemIndex
  /** Whether the server is about to leave: then it is not healthy, though it still answers. */
  readonly leaving?: () => boolean
  /** What /metrics shows. */
  readonly metrics?: () => Promise<{ readonly type: string; readonly text: string }>
}

/** A request, whatever brought it. */
export interface Asked {
  readonly method: string
  /** As it stands in the request's first line, without the query. */
  readonly path: string
  /** The Authorization header, if any. */
  readonly authorization: string | undefined
  /** The body. @param most bytes that it may have @throws {Refusal} where it is larger or cut short */
  bytes(most: number): Promise<Uint8Array>
}

/** An answer, for whatever takes it back. */
export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

/** Answers one request. It does not reject. */
export type Answer = (asked: Asked) => Promise<Answered>

type Work = (asked: Asked, turn: Turn) => string | Promise<string>
/** The body of a refusal. */
type Wording = (message: string, status: number) => string

const JSON_TYPE = { 'Content-Type': 'application/json' }

/** The HTTP interfaces over `models`, apart from any server: TensorFlow Serving's, Vertex AI's, and that of the two towers. */
export function answersOf(models: Models, options: AppOptions = {}): Answer {
  const { maxBody = 32 << 20, maxRequests = 1024, timeout = 10_000, observer = NO_OBSERVER } = options
  const { health = '/health', predict = '/predict' } = options.routes ?? {}
  let taken = 0

  /** A route: the text of a JSON body, or a refusal, as the contract words it. */
  const route =
    (contract: Contract, work: Work, wording: Wording = errorBody): Answer =>
    async (asked) => {
      const start = performance.now()
      let status = 200
      try {
        authorize(asked, options.token)
        if (taken >= maxRequests)
          throw new Refusal(429, `${maxRequests} requests are waiting already; try again`, { 'Retry-After': '1' })
        taken++
        try {
          const turn = new Turn(() => asked.bytes(maxBody), start + timeout, observer)
          return { status, headers: JSON_TYPE, text: await work(asked, turn) }
        } finally {
          taken--
        }
      } catch (error) {
        const refusal = refusalOf(error)
        if (refusal.status === 500) observer.broke(error)
        if (refusal.cause !== undefined) observer.broke(refusal.cause)
        status = refusal.status
        return refused(refusal, wording)
      } finally {
        observer.answered(contract, asked.method, status, (performance.now() - start) / 1000)
      }
    }

  /** By path, then by method. */
  const routes = new Map<string, Map<string, Answer>>()
  const on = (method: 'GET' | 'POST', path: string, answer: Answer): void => {
    routes.set(path, (routes.get(path) ?? new Map<string, Answer>()).set(method, answer))
  }

  on('GET', health, async () => {
    if (options.leaving?.() === true) return refused(new Refusal(503, 'the server is about to leave'))
    if (!models.ready) return refused(new Refusal(503, 'the models are not loaded yet'))
    return { status: 200, headers: JSON_TYPE, text: '{"status": "ready"}' }
  })
  const document = () => jsonText(openapi(models, { health, predict }, options.token !== undefined, options.index))
  on('GET', '/openapi.json', route('other', document))
  const { metrics } = options
  if (metrics !== undefined)
    on('GET', '/metrics', async (asked) => {
      try {
        authorize(asked, options.token)
      } catch (error) {
        return refused(refusalOf(error))
      }
      const { type, text } = await metrics()
      return { status: 200, headers: { 'Content-Type': type }, text }
    })
  const vertex: Work = (_, turn) => answerVertex(models, turn)
  on('POST', predict, route('vertex', vertex))
  for (const [path, answer] of Object.entries(TOWER_PATHS)) {
    const towers: Work = (_, turn) => answer(models, turn)
    on('POST', path, route('towers', towers))
  }

  const { index } = options
  const vectorSearch =
    index === undefined
      ? null
      : route(
          'vector-search',
          ({ method, path }, turn) => answerVectorSearch(index, method, path, turn),
          googleErrorBody,
        )
  const tensorflow = route('tensorflow', ({ method, path }, turn) => answerTensorflow(models, method, path, turn))
  const nowhere = route('other', ({ method, path }) => {
    throw new Refusal(404, `there is no ${method} ${path}`)
  })
  const notSo = route('other', ({ method, path }) => {
    const allowed = [...(routes.get(path)?.keys() ?? [])]
    throw wrongMethod(`${path} takes ${allowed.join(', ')}, not ${method}`, allowed)
  })
  const answer: Answer = (given) => {
    // What HEAD answers is what GET does; whoever takes the answer back leaves its text out (RFC 9110, 9.3.2).
    const asked = given.method === 'HEAD' ? { ...given, method: 'GET' } : given
    const { method, path } = asked
    const methods = routes.get(path)
    if (methods !== undefined) return (methods.get(method) ?? notSo)(asked)
    if (vectorSearch !== null && /^\/v1(?:beta1)?\/projects\//.test(path)) return vectorSearch(asked)
    // TensorFlow Serving's paths are of any case.
    return (/^\/v1\//i.test(path) ? tensorflow : nowhere)(asked)
  }
  const { cors } = options
  if (cors === undefined) return answer
  if (!isOrigin(cors))
    throw new RangeError(`cors must be an origin, as https://shop.example, or *; got ${JSON.stringify(cors)}`)
  return forPages(answer, cors)
}

const refused = ({ message, status, headers }: Refusal, wording: Wording = errorBody): Answered => ({
  status,
  headers: { ...JSON_TYPE, ...headers },
  text: wording(message, status),
})

/** @throws {Refusal} 401 where a token is wanted and another came, or none */
function authorize({ authorization }: Asked, token: string | undefined): void {
  if (token === undefined) return
  const [, given = ''] = /^Bearer +(.*)$/i.exec(authorization ?? '') ?? []
  // Every character is compared, so that the time tells nothing of how many are right.
  let apart = given.length ^ token.length
  for (let i = 0; i < token.length; i++) apart |= token.charCodeAt(i) ^ given.charCodeAt(i % (given.length || 1))
  if (apart !== 0) throw new Refusal(401, 'a bearer token is wanted', { 'WWW-Authenticate': 'Bearer' })
}
