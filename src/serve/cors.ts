import type { Answer } from './answers.ts'

/** Seconds that a browser need not ask again whether it may; the most that Chromium keeps to. */
const KEPT = 7200

/**
 * The same answers, for pages of another origin too (the Fetch Standard's CORS protocol), as TensorFlow Serving gives them with
 * rest_api_enable_cors_support. What a browser asks beforehand brings no token, and is told no more than what may be asked.
 * @param origin whose pages may read the answers, as `https://shop.example`; `*` for all
 */
export const forPages =
  (answer: Answer, origin: string): Answer =>
  async (asked) => {
    const allowed = { 'Access-Control-Allow-Origin': origin }
    if (asked.method !== 'OPTIONS') {
      const answered = await answer(asked)
      return { ...answered, headers: { ...answered.headers, ...allowed } }
    }
    const headers = {
      ...allowed,
      'Access-Control-Allow-Methods': 'GET, HEAD, POST',
      'Access-Control-Allow-Headers': 'Authorization, Content-Encoding, Content-Type',
      'Access-Control-Max-Age': String(KEPT),
    }
    return { status: 200, headers, text: '' }
  }

/** Whether `text` is what `Access-Control-Allow-Origin` takes: an origin as browsers send it, or all. */
export const isOrigin = (text: string): boolean => text === '*' || (URL.canParse(text) && new URL(text).origin === text)
