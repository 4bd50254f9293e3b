// What a start runs, compiled as the file is read. V8 skims a function for its end and compiles it when it is first called, for
// which it reads it again; one in parentheses it compiles at once. Which functions a start runs is measured: a process of its own
// embeds a viewer of the demo's. All functions in parentheses win nothing; methods cannot be put in any, and a declared function
// would have to be a constant, which wins as much again, but is half a kilobyte more in every page.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const [index, demo] = [join('dist', 'index.js'), join('weights', 'demo')]

/** Puts parentheses around the arrow functions of `file` that a start runs. */
export async function compileAtOnce(file) {
  const folder = mkdtempSync(join(tmpdir(), 'twotower-start-'))
  try {
    const { convert } = await import(pathToFileURL(index).href)
    const bundle = await convert({ query: join(demo, 'query_model'), candidate: join(demo, 'candidate_model') })
    await bundle.save(join(folder, 'demo'))
    const env = { ...process.env, NODE_V8_COVERAGE: join(folder, 'coverage') }
    execFileSync(process.execPath, [fileURLToPath(import.meta.url), join(folder, 'demo')], { env })
    const run = functionsRun(join(folder, 'coverage'), pathToFileURL(file).href)
    writeFileSync(file, parenthesized(readFileSync(file, 'utf8'), run))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** From where to where in the file at `url` the functions are that were called. */
function functionsRun(folder, url) {
  const [report] = readdirSync(folder)
  const { result } = JSON.parse(readFileSync(join(folder, report), 'utf8'))
  const { functions } = result.find((script) => script.url === url)
  return functions.map(({ ranges: [whole] }) => whole).filter(({ count }) => count > 0)
}

/** What begins with its parameters is an arrow. */
function parenthesized(code, functions) {
  const arrows = functions.filter(({ startOffset }) => /^(async )?\(/.test(code.slice(startOffset, startOffset + 7)))
  const edits = arrows.flatMap(({ startOffset, endOffset }) => [
    [startOffset, '('],
    [endOffset, ')'],
  ])
  // Backwards, so that places keep.
  edits.sort(([a], [b]) => b - a)
  for (const [at, text] of edits) code = code.slice(0, at) + text + code.slice(at)
  return code
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { load } = await import(pathToFileURL(index).href)
  const { query } = await load(process.argv[2])
  const [viewer] = readFileSync(join(demo, 'viewers.jsonl'), 'utf8').split('\n')
  const row = JSON.parse(viewer)
  query.embed(Object.fromEntries(query.features.map(({ name }) => [name, [row[name]]])))
}
