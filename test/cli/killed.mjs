// Loaded before a command (node --import), kills it at one of its steps on the disk. KILL_AT is "STEP PATH": counted from 0, the
// STEP-th call that makes, opens, syncs, cuts, closes, renames or removes what has a path that begins with PATH is not made any
// more. Its clock runs so fast that whatever is done by the time is done at each turn: the machine's speed says nothing then.
import { promises } from 'node:fs'

const [, step, watched] = /^(\d+) (.*)$/.exec(process.env.KILL_AT)
let left = Number(step)
const at = (...paths) => {
  if (paths.some((path) => String(path).startsWith(watched)) && left-- === 0) process.kill(process.pid, 'SIGKILL')
}

for (const name of ['mkdir', 'open', 'rename', 'rm']) {
  const call = promises[name]
  promises[name] = async (path, ...more) => {
    at(path, more[0])
    const made = await call(path, ...more)
    return name === 'open' ? stepping(made, path) : made
  }
}

/** An open file that steps too. */
function stepping(handle, path) {
  for (const name of ['truncate', 'sync', 'datasync', 'close']) {
    const call = handle[name]
    handle[name] = (...all) => {
      at(path)
      return call.apply(handle, all)
    }
  }
  return handle
}

const now = performance.now.bind(performance)
performance.now = () => 1e6 * now()
