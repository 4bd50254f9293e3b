import { spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { DEMO, demoRows, jsonl, lines, MAIN, model, run, scratch, twotower } from './command.ts'

const COMMANDS = [
  'inspect',
  'check',
  'convert',
  'run',
  'embed',
  'score',
  'index',
  'export',
  'search',
  'serve',
  'playground',
  'verify',
  'evaluate',
  'match',
  'explain',
  'diff',
  'bench',
  'demo',
]
const QUERY = join(DEMO, 'query_model')
const folder = scratch()

/** Runs `twotower args` for a reader of `stream` that leaves after the first piece, or before anything comes. */
function readShortly(
  args: readonly string[],
  stdin: string,
  after: 'first' | 'nothing',
): Promise<{ readonly status: number | null; readonly signal: string | null; readonly stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args])
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.stdin.on('error', () => {})
    child.stdin.end(stdin)
    if (after === 'nothing') child.stdout.destroy()
    else child.stdout.once('data', () => child.stdout.destroy())
    child.on('error', reject)
    child.on('close', (status, signal) => resolve({ status, signal, stderr }))
  })
}

describe.concurrent('every command', () => {
  test('is listed by --help, with its description', async () => {
    const text = await twotower(['--help'])
    for (const name of COMMANDS) expect(text).toMatch(new RegExp(`^  ${name} .*\\w`, 'm'))
  })

  for (const name of COMMANDS) {
    test(`${name} --help shows its options and an example that names it`, async () => {
      const text = await twotower([name, '--help'])
      expect(text).toContain(`Usage: twotower ${name} `)
      expect(text).toMatch(new RegExp(`\\nExample:\\n.*\\btwotower ${name}\\b.*\\n$`))
    })
  }

  for (const args of [
    ['inspect', QUERY],
    ['check', QUERY],
    ['convert', QUERY, '-o', join(folder, 'bundle')],
    ['verify', QUERY, join(DEMO, 'goldens/query_model.json')],
    ['run', QUERY],
    ['embed', QUERY],
    ['demo'],
    ['--help'],
  ]) {
    test(`${args[0]} ends quietly where its reader has left`, async () => {
      const stdin = jsonl(...Array.from({ length: 20 }, () => ({ inputs: {}, embedding: [1] })))
      expect((await readShortly(args, stdin, 'nothing')).stderr).toBe('')
    })
  }

  for (const args of [
    ['inspect', '/no/model'],
    ['check', '/no/model'],
    ['explain', '/no/model', '{}'],
    ['diff', '/no/model', QUERY],
    ['convert', '/no/model', '-o', join(folder, 'none')],
    ['run', '/no/model'],
    ['embed', '/no/model'],
    ['score', '/no/model'],
    ['search', '/no/model', '--items', join(DEMO, 'films.jsonl')],
    ['serve', '/no/model'],
    ['verify', '/no/model', join(DEMO, 'goldens/query_model.json')],
    ['bench', '/no/model'],
    ['evaluate', '/no/model', '--items', join(DEMO, 'films.jsonl'), '--interactions', join(DEMO, 'held.jsonl')],
    ['match', '/no/model', '--predictions', join(DEMO, 'goldens/query_model.json')],
  ]) {
    test(`${args[0]} says in one line that there is no model`, async () => {
      expect(await run(args)).toEqual({
        status: 1,
        stdout: '',
        stderr: 'twotower: there is no folder at "/no/model"\n',
      })
    })
  }
})

describe.concurrent('the command line', () => {
  test('ends with 2 where it is called wrongly, and says what is wrong', async () => {
    const wrong: readonly (readonly [readonly string[], RegExp])[] = [
      [[], /Usage: twotower/],
      [['train'], /unknown command 'train'/],
      [['run'], /missing required argument 'model'/],
      [['run', QUERY, '--gpu'], /unknown option '--gpu'/],
      [['inspect', QUERY, 'extra'], /too many arguments/],
      [['convert', QUERY], /required option '-o, --output <folder>' not specified/],
      [['convert', '-o', 'x'], /name one SavedModel, or two with --query and --candidate/],
      [['convert', '--query', QUERY, '-o', 'x'], /name one SavedModel, or two/],
      [['search', QUERY], /search wants items: --items FILE of rows, or --index FILE/],
      [['verify', QUERY], /missing required argument 'recordings'/],
      [['match', QUERY], /required option '--predictions <file>' not specified/],
      [['embed', QUERY, '--workers', 'all'], /--workers wants a positive integer, got "all"/],
      [['embed', QUERY, '--batch', '0'], /--batch wants a positive integer, got "0"/],
      [['inspect', QUERY, '--tags', ','], /--tags wants a comma-separated list/],
    ]
    for (const [args, said] of wrong) {
      const { status, stdout, stderr } = await run(args)
      expect({ args, status, stdout }).toEqual({ args, status: 2, stdout: '' })
      expect(stderr).toMatch(args.length === 0 ? /^Usage/ : /^twotower: /)
      expect(stderr).toMatch(said)
      expect(stderr).not.toMatch(/^ +at /m)
    }
  })

  test('ends with 0 where it is asked for its help or version', async () => {
    expect((await run(['help', 'run'])).stdout).toContain('Usage: twotower run')
    expect((await run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  test('says in one line what is wrong with a file, without a stack', async () => {
    const damaged = join(folder, 'damaged.json')
    writeFileSync(damaged, '{"cases": [{"inputs": 1}]}')
    for (const [args, said] of [
      [['embed', QUERY, '/no/rows.jsonl'], 'there is no file "/no/rows.jsonl"'],
      [['embed', QUERY, folder], `"${folder}" is a folder, not a file`],
      [['verify', QUERY, '/no/golden.json'], 'there is no file "/no/golden.json"'],
      [['verify', QUERY, damaged], `${damaged} case 0: a case must have "inputs"`],
      [['explain', QUERY, folder], `"${folder}" is a folder, not a file`],
      [['embed', QUERY, '-o', join(damaged, 'x')], `"${damaged}" cannot be made a folder: a file is in the way`],
      [
        ['convert', QUERY, '-o', join(damaged, 'x')],
        `${join(damaged, 'x')} is a file, or lies in one; choose a folder`,
      ],
      [
        ['convert', QUERY, '--preprocess', join(folder, 'p.json'), '-o', join(folder, 'p')],
        `there is no file "${join(folder, 'p.json')}"`,
      ],
      [
        ['inspect', folder],
        `saved_model.pb: missing in ${folder}; a SavedModel's folder holds saved_model.pb and, beside it, variables/ and assets/, a bundle's manifest.json and weights.bin. Give the folder that holds one of them itself: it is often a numbered one inside`,
      ],
    ] as const)
      expect(await run(args)).toEqual({ status: 1, stdout: '', stderr: `twotower: ${said}\n` })
  })

  test('says once of a file of bytes what it is and what to do, not once a line', async () => {
    const rows = jsonl(...demoRows('viewers.jsonl'))
    const packed = join(folder, 'rows.jsonl.gz')
    writeFileSync(packed, gzipSync(rows))
    const wide = join(folder, 'wide.csv')
    writeFileSync(wide, Buffer.from('\uFEFFid;year\n1;1948\n', 'utf16le'))
    const [zipped, utf16] = [/ it is gzipped: .*gunzip -c FILE/, / it is UTF-16: .*iconv -f UTF-16 -t UTF-8 FILE/]
    for (const [args, file, said] of [
      [['embed', QUERY], packed, zipped],
      [['embed', QUERY], wide, utf16],
      [['score', QUERY, '--similarity', 'dot'], packed, zipped],
      [['index', '--similarity', 'dot', '-o', join(folder, 'none.index')], packed, zipped],
    ] as const) {
      const { status, stdout, stderr } = await run([...args, file])
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
      expect(stderr).toMatch(said)
      expect(stderr.split(file)).toHaveLength(2)
      expect(stderr).toMatch(/^twotower: .*\n$/)
    }
    const { status, stderr } = await run(['run', QUERY], gzipSync(rows))
    expect(status).toBe(1)
    expect(stderr).toMatch(/^twotower: standard input: .* it is gzipped: .*\n$/)
  })

  test('takes no folder for an empty input', () => {
    const input = openSync(folder, 'r')
    for (const args of [
      ['run', QUERY],
      ['embed', QUERY],
      ['explain', QUERY, '-'],
    ]) {
      const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
        stdio: [input, 'pipe', 'pipe'],
        encoding: 'utf8',
      })
      expect(stderr).toBe('twotower: "standard input" is a folder, not a file\n')
      expect(status).toBe(1)
    }
    closeSync(input)
  })

  test('answers at once, not only when the input ends', async () => {
    const child = spawn(process.execPath, [MAIN, 'run', QUERY])
    const answers: string[] = []
    // Line by line: a piece of the stream may be less than an answer.
    const read = createInterface(child.stdout)[Symbol.asyncIterator]()
    for (let i = 0; i < 2; i++) {
      child.stdin.write('{}\n')
      answers.push((await read.next()).value)
    }
    child.stdin.end()
    expect((await read.next()).done).toBe(true)
    expect(answers).toEqual(Array(2).fill('{"error":"the request has neither \\"inputs\\" nor \\"instances\\""}'))
  })

  test('stops working where its reader leaves in the middle', async () => {
    const many = jsonl(...Array.from({ length: 30_000 }, (_, id) => ({ id, embedding: [id, 1, 2, 3] })))
    expect(await readShortly(['embed', QUERY], many, 'first')).toEqual({ status: 0, signal: null, stderr: '' })
  })

  test('shows no progress where nobody looks', async () => {
    const films = demoRows('films.jsonl')
    const finished = await run(['embed', join(DEMO, 'candidate_model')], jsonl(...films))
    expect(finished.stderr).toBe('')
    expect(lines(finished)).toHaveLength(films.length)
  })

  test('answers nothing to no input, and ends with 0', async () => {
    for (const args of [
      ['run', QUERY],
      ['embed', QUERY],
      ['score', model('fused_dot')],
    ])
      expect(await run(args, '\n  \n')).toEqual({ status: 0, stdout: '', stderr: '' })
  })
})
