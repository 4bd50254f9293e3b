import { UnsupportedOpError } from '../errors.ts'

/** An answer that is no success: its HTTP status, and what stands in the body's "error". */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly status: number
  /** Headers that go with the status: `Allow`, `Retry-After`. */
  readonly headers: Readonly<Record<string, string>>

  /** @param cause what went wrong on our side, for the log */
  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}, cause?: unknown) {
    super(message, { cause })
    this.status = status
    this.headers = headers
  }
}

/** 405; who takes GET takes HEAD. @param allowed the methods that the path takes */
export const wrongMethod = (message: string, allowed: readonly string[]): Refusal =>
  new Refusal(405, message, { Allow: allowed.flatMap((one) => (one === 'GET' ? ['GET', 'HEAD'] : [one])).join(', ') })

/**
 * What a failed request is answered: what it asked wrongly is 400, an op that twotower lacks is 501 (TensorFlow's
 * UNIMPLEMENTED), and anything else is our own fault, whose words are for the log.
 */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof UnsupportedOpError) return new Refusal(501, error.message)
  if (error instanceof RangeError && error.message.startsWith('Maximum call stack'))
    return new Refusal(400, 'the request is nested too deeply')
  if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError)
    return new Refusal(400, error.message)
  return new Refusal(500, 'internal error; the log of the server says more')
}

/** The body of a refusal, as TensorFlow Serving writes it. */
export const errorBody = (message: string): string => JSON.stringify({ error: message })

/** Google's names (google.rpc.Code) of the statuses that are given here. */
const CODES: Readonly<Record<number, string>> = {
  401: 'UNAUTHENTICATED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  501: 'UNIMPLEMENTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

/** The body of a refusal, as Google's interfaces write it. */
export const googleErrorBody = (message: string, status: number): string =>
  JSON.stringify({ error: { code: status, message, status: CODES[status] ?? 'INVALID_ARGUMENT' } })
