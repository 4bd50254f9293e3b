import { readNumerals } from '../json/numerals.ts'
import { type Json, parseJson } from '../json/parse.ts'
import { Refusal } from './refusal.ts'

const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * The body of `request`; gzip is taken apart.
 * @param most bytes that it may have, as it comes and unpacked
 * @throws {Refusal} 413 where it is larger, 415 for another encoding, 400 where it is cut short or no gzip
 */
export async function readBody(request: Request, most: number): Promise<Uint8Array> {
  const length = request.headers.get('content-length')
  if (length !== null && Number(length) > most) throw tooLarge(most)
  const encoding = request.headers.get('content-encoding')
  const packed = encoding !== null && encoding !== '' && encoding.toLowerCase() !== 'identity'
  if (packed && encoding.toLowerCase() !== 'gzip')
    throw new Refusal(415, `the body's Content-Encoding must be gzip or identity, got ${JSON.stringify(encoding)}`)
  // A runtime gives no more than the length that was announced.
  return length !== null && !packed ? whole(request) : gathered(packed ? unpacked(request) : request.body, most)
}

/**
 * A body as JSON.
 * @throws {Refusal} 400 where it is not UTF-8
 * @throws {SyntaxError} where it is no JSON
 */
export const jsonOf = (bytes: Uint8Array): Json => readNumerals(bytes) ?? parseJson(textOf(bytes))

/** @throws {Refusal} 400 where `bytes` are not UTF-8 */
export function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new Refusal(400, 'the body is not UTF-8; bytes that are no text are written {"b64": "…"}')
  }
}

export const tooLarge = (most: number): Refusal => new Refusal(413, `the body is larger than ${most} bytes`)

async function whole(request: Request): Promise<Uint8Array> {
  try {
    return new Uint8Array(await request.arrayBuffer())
  } catch {
    throw new Refusal(400, 'the body was cut short')
  }
}

const unpacked = (request: Request): ReadableStream<Uint8Array> | null =>
  request.body?.pipeThrough(new DecompressionStream('gzip')) ?? null

async function gathered(body: ReadableStream<Uint8Array> | null, most: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  try {
    if (body !== null)
      for await (const part of body) {
        size += part.length
        if (size > most) throw tooLarge(most)
        parts.push(part)
      }
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw new Refusal(400, 'the body was cut short, or is not what its Content-Encoding says')
  }
  const bytes = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
