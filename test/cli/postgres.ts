import { execFile, execFileSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'

/** A PostgreSQL with pgvector, of one test file. */
export interface Postgres {
  /** Runs the script in a file as `psql -f` does. */
  load(file: string): Promise<void>
  /** The rows that a SELECT gives. */
  rows<Row>(sql: string): Promise<Row[]>
  /** How a SELECT would be answered if no table were scanned. */
  plan(sql: string): Promise<string>
  close(): void | Promise<void>
}

/** Each that is here, by its name: PGlite, which npm brings, and those of Debian's packages that pgvector is installed beside. */
export function postgreses(): [string, () => Promise<Postgres>][] {
  const shared = '/usr/share/postgresql'
  const versions = existsSync(shared) ? readdirSync(shared) : []
  const debian = versions.filter((version) => existsSync(join(shared, version, 'extension/vector.control')))
  return [
    ['PGlite', pglite],
    ...debian.map((version): [string, () => Promise<Postgres>] => [
      `PostgreSQL ${version}`,
      () => started(`/usr/lib/postgresql/${version}/bin`),
    ]),
  ]
}

/** PGlite is PostgreSQL itself, compiled to WebAssembly, with pgvector beside it. */
async function pglite(): Promise<Postgres> {
  const server = await PGlite.create({ extensions: { vector } })
  return {
    async load(file) {
      // What stands behind COPY … FROM stdin, up to its end, are the rows.
      const [before, behind] = readFileSync(file, 'utf8').split(' FROM stdin;\n')
      const [rows, after] = behind.split('\n\\.\n')
      const copy = before.lastIndexOf('COPY ')
      await server.exec(before.slice(0, copy))
      await server.query(`${before.slice(copy)} FROM '/dev/blob'`, [], { blob: new Blob([rows, '\n']) })
      await server.exec(after)
    },
    rows: async <Row>(sql: string) => (await server.query<Row>(sql)).rows,
    async plan(sql) {
      await server.exec('SET enable_seqscan = off')
      const { rows } = await server.query<{ readonly 'QUERY PLAN': string }>(`EXPLAIN ${sql}`)
      await server.exec('RESET enable_seqscan')
      return rows.map((line) => line['QUERY PLAN']).join('\n')
    },
    close: () => server.close(),
  }
}

/** A server of its own, on a socket in a folder of its own, by the programs in a folder. */
async function started(programs: string): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), 'twotower-postgres-'))
  // PostgreSQL does not run as root.
  const user = userInfo().uid === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {}
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  const server = (program: string, ...args: string[]) =>
    execFileSync(join(programs, program), args, { ...user, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  server('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale', 'C', '--no-sync')
  const options = `-c listen_addresses= -c unix_socket_directories=${folder} -c fsync=off`
  server('pg_ctl', '-D', data, '-w', '-l', join(folder, 'log'), '-o', options, 'start')
  const psql = async (...args: string[]): Promise<string> => {
    const all = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-h', folder, '-U', 'postgres', ...args]
    return (await promisify(execFile)(join(programs, 'psql'), all)).stdout
  }
  return {
    async load(file) {
      await psql('-f', file)
    },
    async rows<Row>(sql: string) {
      return JSON.parse(await psql('-c', `SELECT coalesce(json_agg(found), '[]') FROM (${sql}) AS found`)) as Row[]
    },
    plan: (sql) => psql('-c', 'SET enable_seqscan = off', '-c', `EXPLAIN ${sql}`),
    close() {
      server('pg_ctl', '-D', data, '-m', 'immediate', '-w', 'stop')
      rmSync(folder, { recursive: true })
    },
  }
}

/** What Debian's packages run it as. */
const idOf = (kind: '-u' | '-g'): number => Number(execFileSync('id', [kind, 'postgres'], { encoding: 'utf8' }))
