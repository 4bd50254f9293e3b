import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { approximate } from './ann.mjs'
import { plots } from './plots.mjs'
import { section, sideBySide } from './tables.mjs'

const RESULTS = fileURLToPath(new URL('../results/', import.meta.url))
const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url))
const [BEGIN, END] = ['<!-- bench: begin -->', '<!-- bench: end -->']

/** Writes every result in bench/results into docs/performance.md, between the markers, and its plots beside it. */
export async function report() {
  const page = join(DOCS, 'performance.md')
  const text = existsSync(page) ? readFileSync(page, 'utf8') : `# Performance\n\n${BEGIN}\n${END}\n`
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (from < 0 || to < from) throw new Error(`${page} has no place for the results: ${BEGIN} … ${END}`)
  mkdirSync(join(DOCS, 'performance'), { recursive: true })
  const all = readdirSync(RESULTS)
    .filter((file) => /^(?!quick-).*\.json$/.test(file))
    .map((file) => ({
      name: file.replace('.json', ''),
      results: JSON.parse(readFileSync(join(RESULTS, file), 'utf8')),
    }))
    .sort((a, b) => order(a) - order(b) || (a.name < b.name ? -1 : 1))
  const sections = all.length < 2 ? [] : [sideBySide(all.map(({ results }) => results))]
  for (const { name, results } of all) {
    const drawn = await plots(results)
    for (const [plot, svg] of Object.entries(drawn))
      writeFileSync(join(DOCS, 'performance', `${name}-${plot}.svg`), svg)
    sections.push(section(name, results, Object.keys(drawn)))
  }
  for (const { name, text: told, svg } of approximate()) {
    writeFileSync(join(DOCS, 'performance', `${name}.svg`), svg)
    sections.push(told)
  }
  writeFileSync(page, `${text.slice(0, from)}${BEGIN}\n\n${sections.join('\n')}\n${text.slice(to)}`)
}

/** Node first. */
const order = ({ results }) => ['node', 'deno', 'bun'].indexOf(results.machine.runtime.name)
