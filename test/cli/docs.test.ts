import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { MAIN, scratch, twotower } from './command.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const page = readFileSync(join(root, 'docs/cli.md'), 'utf8')

/** The page's parts by their headings; what stands before the first is left out. */
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((part) => [part.slice(0, part.indexOf('\n')), part] as const),
)

const commands = async (): Promise<string[]> =>
  [...(await twotower(['--help'])).matchAll(/^ {2}([a-z]+) .*\S/gm)].map(([, name]) => name).filter((n) => n !== 'help')

/** What `--help` says of each command. */
const helps = new Map<string, string>()
beforeAll(async () => {
  const names = await commands()
  const said = await Promise.all(names.map((name) => twotower([name, '--help'])))
  for (const [i, name] of names.entries()) helps.set(name, said[i])
})

/** Options that need no words in a command's section. */
const COMMON = ['--help', '--tags', '--deterministic']

/** What is typed in a console block, with what the page shows in answer. */
interface Example {
  readonly typed: string
  readonly shown: readonly string[]
}

const examplesOf = (page: string): readonly Example[] =>
  [...page.matchAll(/^```console\n([\s\S]*?)^```$/gm)].flatMap(([, block]) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const written = part.trimEnd().split('\n')
        const end = written.findIndex((line, i) => i > 0 && !line.startsWith('> '))
        const [typed, shown] = end < 0 ? [written, []] : [written.slice(0, end), written.slice(end)]
        return { typed: typed.map((line) => line.replace(/^> /, '')).join('\n'), shown }
      }),
  )

/** The programs of a page, which say in their first line what their file is called. */
const programsOf = (page: string) =>
  [...page.matchAll(/^```js\n(\/\/ (\S+\.mjs)\n[\s\S]*?)^```$/gm)].map(([, text, name]) => ({ name, text }))

/** A pattern for what is shown: `…` is anything within a line, alone on a line any lines, and spaces align. */
function pattern(shown: readonly string[]): RegExp {
  const text = shown.map((line) =>
    line === '…'
      ? '(?:.*\n)*?'
      : `${line
          .split('…')
          .map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/ {2,}/g, ' +'))
          .join('.*')}\n`,
  )
  return new RegExp(`^${text.join('')}$`)
}

describe('docs/cli.md', () => {
  test('has a section for each command and for nothing else', () => {
    expect([...sections.keys()]).toEqual([...helps.keys()])
  })

  test('names only options that the command of the section has', () => {
    let seen = 0
    for (const [name, section] of sections) {
      const help = helps.get(name)
      // A backtick before it, or a command line of the command around it.
      const typed = [...section.matchAll(/^\$ .*?\btwotower [a-z]+(.*)$/gm)].map(([, rest]) =>
        rest.replace(/[|;>].*/, ''),
      )
      const quoted = [...section.matchAll(/`(-[^`]*)`/g)].map(([, code]) => code)
      for (const [option] of [...typed, ...quoted].join(' ').matchAll(/(?<=^|\s)-{1,2}[a-z][a-z0-9-]*/g)) {
        expect(`${name}: ${help}`).toMatch(new RegExp(`^ +(-\\w, )?${option}[ ,]`, 'm'))
        seen++
      }
    }
    expect(seen).toBeGreaterThan(30)
  })

  test('names every option of a command; what many have, in the table at the top', () => {
    for (const [name, section] of sections) {
      const help = helps.get(name) ?? ''
      for (const [, option] of help.matchAll(/^ {2}(?:-\w, )?(--[a-z]+)/gm))
        if (!COMMON.includes(option)) expect(section).toContain(option)
    }
    for (const option of COMMON.slice(1)) expect(page.slice(0, page.indexOf('\n## '))).toContain(`\`${option}\``)
  })

  test('has examples', () => {
    expect(examplesOf(page).length).toBeGreaterThan(15)
  })

  // A later one may go on with what an earlier one made.
  const folder = workplace(page)
  for (const [name, section] of [['the page’s beginning', page.slice(0, page.indexOf('\n## '))], ...sections])
    if (examplesOf(section).length > 0)
      test(`shows what the examples of ${name} really answer`, () => expectAnswers(section, folder))
})

describe('README.md', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const folder = workplace(readme)
  test('begins with a program that says what it says it does', async () => {
    const [{ name, text }] = programsOf(readme)
    const [, said] = /^console\.log\(.*\/\/ (.*)$/m.exec(text) ?? []
    // Where npm has put the package.
    expect(await answerTo(`rm weights; node ${name}`, folder)).toBe(`${said}\n`)
  })

  test('names each command in its table', async () => {
    const rows = readme.match(/^\| `twotower .*/gm)?.join('\n') ?? ''
    const named = new Set([...rows.matchAll(/`twotower ([a-z]+)/g)].map(([, name]) => name))
    expect([...named].sort()).toEqual((await commands()).sort())
  })
})

describe('docs/search.md', () => {
  const search = readFileSync(join(root, 'docs/search.md'), 'utf8')
  const folder = workplace(search)
  test('shows what its examples and programs really answer', async () => {
    expect(programsOf(search).map(({ name }) => name)).toEqual(['nearest.mjs', 'parallel.mjs'])
    expect(examplesOf(search).length).toBeGreaterThan(4)
    await expectAnswers(search, folder)
  })
})

describe('docs/vector-search.md', () => {
  const vectorSearch = readFileSync(join(root, 'docs/vector-search.md'), 'utf8')
  const folder = workplace(vectorSearch)
  test('shows what its examples really answer', async () => {
    expect(examplesOf(vectorSearch).length).toBeGreaterThan(4)
    await expectAnswers(vectorSearch, folder)
  })
})

describe('docs/serve.md', () => {
  const page = readFileSync(join(root, 'docs/serve.md'), 'utf8')
  const folder = workplace(page)
  test('has a program that exports what answers', async () => {
    const [{ name, text }] = programsOf(page)
    const [, bundle] = /load\('(.*?)'\)/.exec(text) ?? []
    // `weights` is a link to the repository's own folder, into which nothing is to be written.
    const demo = 'node_modules/twotower/weights/demo'
    const towers = `--query ${demo}/query_model --candidate ${demo}/candidate_model`
    await answerTo(`rm weights; twotower convert ${towers} -o ${bundle}`, folder)
    const asked = "new Request('http://localhost/v1/models/model')"
    const ask = `import app from './${name}'; console.log(await (await app.fetch(${asked})).text())`
    writeFileSync(join(folder, 'ask.mjs'), ask)
    const [{ state }] = JSON.parse(await answerTo('node ask.mjs', folder)).model_version_status
    expect(state).toBe('AVAILABLE')
  })
})

/** A folder where a page's examples are typed, with its programs; until the tests around the call are over. */
function workplace(page: string): string {
  const folder = scratch()
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'twotower'), `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`, { mode: 0o755 })
  symlinkSync(join(root, 'weights'), join(folder, 'weights'))
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules/twotower'))
  for (const { name, text } of programsOf(page)) writeFileSync(join(folder, name), text)
  return folder
}

/** That the examples of `text` answer as it says, typed one after the other in `folder`. */
async function expectAnswers(text: string, folder: string): Promise<void> {
  for (const { typed, shown } of examplesOf(text)) expect(await answerTo(typed, folder), typed).toMatch(pattern(shown))
}

/** What a terminal shows of what is typed; of what does not end, what it has shown until it is killed with all that it started. */
function answerTo(typed: string, folder: string): Promise<string> {
  const env = { ...process.env, PATH: `${join(folder, 'bin')}${delimiter}${process.env.PATH}` }
  const child = spawn('/bin/sh', ['-c', `(${typed}\n) 2>&1`], { cwd: folder, env, detached: true })
  const late = setTimeout(() => process.kill(-(child.pid as number), 'SIGKILL'), 100_000)
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => {
      said += part
    })
  child.stdin.end()
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => {
      clearTimeout(late)
      resolve(said)
    })
  })
}
