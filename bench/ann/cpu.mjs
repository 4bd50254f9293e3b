/**
 * Milliseconds of a core that this process has taken so far, in all its threads. Each engine has one thread, so that on a machine
 * of its own this is the time that passes; on one with other work it leaves their turns out.
 */
export function cpuMilliseconds() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
