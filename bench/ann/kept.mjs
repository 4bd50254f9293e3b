import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { cpuMilliseconds } from './cpu.mjs'

/**
 * An index of `folder`'s vectors as a file beside them, so that what takes an hour is built once: where it lies, the seconds of
 * a core that building it took, and its bytes.
 * @param build gives the index
 * @param save writes it to a path
 */
export function kept(folder, name, build, save) {
  const path = `${folder}/built/${name}`
  if (!existsSync(`${path}.json`)) {
    mkdirSync(`${folder}/built`, { recursive: true })
    const start = cpuMilliseconds()
    const index = build()
    const seconds = (cpuMilliseconds() - start) / 1000
    save(index, `${path}.part`)
    renameSync(`${path}.part`, path)
    writeFileSync(`${path}.json`, JSON.stringify({ seconds }))
  }
  const { seconds } = JSON.parse(readFileSync(`${path}.json`, 'utf8'))
  return { path, seconds, bytes: statSync(path).size }
}

/** Tells how far a build of many rows is, twenty times. */
export function progress(name, rows) {
  let told = 0
  return (row) => {
    if (row < told) return
    process.stdout.write(`  ${name}: ${Math.round((100 * row) / rows)} %\n`)
    told += rows / 20
  }
}
