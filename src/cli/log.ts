/** Writes one JSON object a line on standard error: when, what happened, and what belongs to it. Never what was asked. */
export function log(event: string, details: Readonly<Record<string, string | number>> = {}): void {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), event, ...details })}\n`)
}
