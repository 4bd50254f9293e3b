import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('savedmodel.py', import.meta.url))

/**
 * Times TensorFlow on one thread in a process of its own, since it does not live in ours.
 * @returns its version, the timing, and its embedding of the first row
 */
export function timeTensorFlow(python, model, features, { rounds, milliseconds }) {
  return new Promise((resolve, reject) => {
    const child = execFile(python, [SCRIPT, model, rounds, milliseconds].map(String), (error, stdout, stderr) => {
      if (error !== null) reject(new Error(`${python}: ${stderr.trim().split('\n').at(-1)}`))
      else resolve(JSON.parse(stdout.trim().split('\n').at(-1)))
    })
    child.stdin.end(JSON.stringify(features))
  })
}
