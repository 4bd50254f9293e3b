/** The end of a child: what it computed, so that it had to, and how much memory is resident. */
export function finished(values) {
  process.stdout.write(JSON.stringify({ finite: Number.isFinite(values[0]), resident: process.memoryUsage().rss }))
}
