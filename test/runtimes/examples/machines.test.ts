import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parquetReadObjects } from 'hyparquet'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { parse } from 'yaml'
import { output } from '../runtime.ts'

const app = inject('app')
const examples = fileURLToPath(new URL('../../../examples/', import.meta.url))
const MAIN = join(app.folder, 'node_modules/twotower/dist/cli/main.js')
const TOWER = join(app.folder, 'weights/demo/candidate_model')

/** The catalogue in as many files as `FILES`, each a few lines. */
const [FILMS, FILES] = [300, 20]
const data = join(app.folder, 'data')
const rows = readFileSync(join(app.folder, 'weights/demo/films.jsonl'), 'utf8').split('\n').slice(0, FILMS)

interface Answer {
  readonly id?: string | null
  readonly embedding: readonly number[]
}

/** What one command on one machine answers to all rows. */
let whole: readonly Answer[]

beforeAll(async () => {
  mkdirSync(join(data, 'items'), { recursive: true })
  const each = FILMS / FILES
  for (let i = 0; i < FILES; i++)
    writeFileSync(join(data, `items/part-${i}.jsonl`), `${rows.slice(i * each, (i + 1) * each).join('\n')}\n`)
  writeFileSync(join(data, 'all.jsonl'), `${rows.join('\n')}\n`)
  await output(process.execPath, [MAIN, 'convert', TOWER, '-o', join(data, 'model')], data)
  const said = await output(process.execPath, [MAIN, 'embed', TOWER, join(data, 'all.jsonl')], data)
  whole = said
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer)
})

/** That `answers` are those of the one command, in any order; rows that were batched otherwise differ in last bits. */
function expectWhole(answers: readonly Answer[]): void {
  const found = new Map(answers.map((answer) => [answer.id, answer]))
  expect(answers).toHaveLength(FILMS)
  expect(found.size).toBe(FILMS)
  for (const { id, embedding } of whole) {
    const own = found.get(id)?.embedding ?? []
    expect(own).toHaveLength(embedding.length)
    for (const [i, value] of embedding.entries()) expect(Math.abs(own[i] - value)).toBeLessThan(1e-6)
  }
}

async function parquetRows(folder: string): Promise<Record<string, unknown>[]> {
  const all: Record<string, unknown>[] = []
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.parquet'))) {
    const bytes = new Uint8Array(readFileSync(join(folder, name)))
    all.push(...(await parquetReadObjects({ file: bytes.buffer })))
  }
  return all
}

describe('the Indexed Job for Kubernetes', () => {
  interface Container {
    readonly command: readonly string[]
    readonly args: readonly string[]
    readonly env: readonly { readonly name: string; readonly valueFrom: object }[]
  }
  const { apiVersion, kind, spec } = parse(readFileSync(join(examples, 'kubernetes/job.yaml'), 'utf8'))
  const [container] = spec.template.spec.containers as readonly [Container]

  test('is one, of pods that know their index and are not root', () => {
    expect({ apiVersion, kind }).toEqual({ apiVersion: 'batch/v1', kind: 'Job' })
    expect(spec).toMatchObject({ completionMode: 'Indexed', template: { spec: { restartPolicy: 'Never' } } })
    expect(spec.template.spec.securityContext).toMatchObject({ runAsNonRoot: true })
    const fieldPath = "metadata.annotations['batch.kubernetes.io/job-completion-index']"
    expect(container.env).toEqual([{ name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { fieldPath } } }])
    const dockerfile = readFileSync(join(examples, 'serve/Dockerfile'), 'utf8')
    expect(dockerfile).toContain(`ENTRYPOINT ${JSON.stringify([...container.command, 'serve']).replaceAll(',', ', ')}`)
  })

  test('embeds the whole catalogue, each pod its share', async () => {
    const answers: Answer[] = []
    const shares: number[] = []
    for (let index = 0; index < spec.completions; index++) {
      const args = container.args.map((arg) =>
        arg.replaceAll('$(JOB_COMPLETION_INDEX)', String(index)).replaceAll('/data/', `${data}/`),
      )
      await output(process.execPath, [MAIN, ...args], data)
      const own = (await parquetRows(join(data, `vectors/${index}`))) as unknown as Answer[]
      shares.push(own.length)
      answers.push(...own)
    }
    const each = FILMS / FILES
    expect(shares).toEqual([3, 3, 3, 3, 2, 2, 2, 2].map((files) => files * each))
    expectWhole(answers)
  })
})

describe("Vertex AI's batch prediction", () => {
  const read = (name: string) => JSON.parse(readFileSync(join(examples, 'vertex-batch-prediction', name), 'utf8'))

  test('asks the container for what embed answers', async () => {
    const { inputConfig, outputConfig, instanceConfig, manualBatchTuningParameters } = read('job.json')
    expect([inputConfig.instancesFormat, outputConfig.predictionsFormat]).toEqual(['jsonl', 'jsonl'])
    expect(instanceConfig).toEqual({ instanceType: 'object', keyField: 'id' })
    const { healthRoute, predictRoute } = read('model.json').containerSpec
    const env = { AIP_HTTP_PORT: '0', AIP_HEALTH_ROUTE: healthRoute, AIP_PREDICT_ROUTE: predictRoute }
    const server = spawn(process.execPath, [MAIN, 'serve', TOWER, '--name', 'model'], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const ended = once(server, 'close')
    try {
      // What is served is said once it is.
      const { value: said } = await createInterface(server.stdout)[Symbol.asyncIterator]().next()
      const address = `http://127.0.0.1:${/:(\d+)\//.exec(said ?? '')?.[1]}`
      expect((await fetch(`${address}${healthRoute}`)).status).toBe(200)
      const answers: Answer[] = []
      const { batchSize } = manualBatchTuningParameters
      for (let start = 0; start < rows.length; start += batchSize) {
        const batch = rows.slice(start, start + batchSize).map((row) => JSON.parse(row) as { readonly id: string })
        // Vertex AI keeps the key field to itself.
        const body = JSON.stringify({ instances: batch.map(({ id, ...instance }) => instance) })
        const response = await fetch(`${address}${predictRoute}`, { method: 'POST', body })
        const { predictions } = (await response.json()) as { readonly predictions: readonly (readonly number[])[] }
        answers.push(...predictions.map((embedding, i) => ({ id: batch[i].id, embedding })))
      }
      expectWhole(answers)
    } finally {
      server.kill()
      await ended
    }
  })
})

const PYTHON = process.env.SPARK_PYTHON ?? 'python3'
/** A session of Spark starts, on a machine that may have other things to do. */
const LONG = 300_000
const works = (command: string, ...args: readonly string[]) =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0
const lacking = works('java', '-version')
  ? works(PYTHON, '-c', 'import pyspark, pandas, pyarrow')
    ? null
    : `${PYTHON} has no pyspark, pandas and pyarrow; SPARK_PYTHON names another`
  : 'there is no java'

/** Runs the script given first once for each list of arguments, in one process: Java and Spark start once. Prints what each raised. */
const EACH = `
import json, runpy, sys
script, jobs = sys.argv[1], json.loads(sys.argv[2])
raised = []
for job in jobs:
    sys.argv = [script, *job]
    try:
        runpy.run_path(script, run_name='__main__')
        raised.append(None)
    except Exception as error:
        raised.append(str(error))
print(json.dumps(raised))
`

describe(`Spark${lacking === null ? '' : `, which is left out: ${lacking}`}`, () => {
  const mixed = join(data, 'items-and-a-bad-one')
  const jobs: readonly (readonly [from: string, to: string, model: string])[] = [
    [mixed, join(data, 'spark'), join(data, 'model')],
    [join(data, 'passed-by.parquet'), join(data, 'passed'), join(data, 'model')],
    [join(data, 'all.jsonl'), join(data, 'lost'), '/no/model'],
  ]
  /** What each job raised. */
  let raised: readonly (string | null)[]

  beforeAll(async () => {
    if (lacking !== null) return
    mkdirSync(mixed)
    writeFileSync(join(mixed, 'a.jsonl'), `${rows.slice(0, 100).join('\n')}\n{"id": "bad"}\n\n`)
    writeFileSync(join(mixed, 'b.jsonl'), `${rows.slice(100).join('\n')}\n`)
    await output(process.execPath, [MAIN, 'embed', TOWER, join(data, 'items/part-0.jsonl'), '-o', jobs[1][0]], data)
    const command = ['--command', `${process.execPath} ${MAIN}`]
    const args = jobs.map(([from, to, model]) => [from, to, '--model', model, '--tower', 'candidate', ...command])
    const env = { PYSPARK_PYTHON: PYTHON, SPARK_LOCAL_IP: '127.0.0.1', PYTHONDONTWRITEBYTECODE: '1' }
    const said = await output(PYTHON, ['-c', EACH, join(examples, 'spark/embed.py'), JSON.stringify(args)], data, env)
    raised = JSON.parse(said.trimEnd().split('\n').at(-1) as string)
  }, LONG)

  test.skipIf(lacking !== null)(
    'embeds the whole catalogue, a process a partition, and tells of bad rows',
    async () => {
      expect(raised[0]).toBeNull()
      const found = await parquetRows(join(data, 'spark'))
      const bad = found.filter(({ error }) => error !== null && error !== undefined)
      expect(bad).toMatchObject([{ id: 'bad', error: expect.stringMatching(/feature "\w+" is missing/) }])
      expectWhole(found.filter((row) => !bad.includes(row)) as unknown as Answer[])
    },
  )

  test.skipIf(lacking !== null)('reads Parquet too', async () => {
    expect(raised[1]).toBeNull()
    expect(await parquetRows(join(data, 'passed'))).toHaveLength(FILMS / FILES)
  })

  test.skipIf(lacking !== null)('fails where the command does, and loses no row in silence', () => {
    expect(raised[2]).toMatch(/embed \/no\/model .* answered 0 of \d+ rows/)
  })
})
