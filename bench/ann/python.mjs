import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A peer of peers.py, by the first of the Pythons that has it. */
export async function python(paths, name, { folder, queries, k }) {
  let skipped = 'no --python was given'
  for (const path of paths) {
    const child = spawn(path, [fileURLToPath(new URL('peers.py', import.meta.url))], {
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const ask = async (question) => {
      child.stdin.write(`${JSON.stringify(question)}\n`)
      const { value, done } = await lines.next()
      return done ? { error: `${path} ended` } : JSON.parse(value)
    }
    const built = await ask({ build: name, folder, queries: queries.length })
    if (built.error === undefined) {
      const run = async (search) => {
        const answer = await ask({ search, k })
        if (answer.error !== undefined) throw new Error(answer.error)
        return answer
      }
      return { ...built, run, close: () => child.stdin.end() }
    }
    child.stdin.end()
    skipped = built.error
  }
  return { skipped }
}
