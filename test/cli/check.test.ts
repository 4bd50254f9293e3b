import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { convertDemo, DEMO, model, run, scratch, twotower } from './command.ts'

interface Missing {
  readonly op: string
  readonly node: string
  readonly kind: string
  readonly todo: string
  readonly functions: readonly string[]
  readonly inside: readonly string[]
  readonly features: readonly string[]
  readonly outputs: readonly string[]
}

interface Readiness {
  readonly ready: boolean
  readonly problems: readonly { readonly file: string | null; readonly problem: string }[]
  readonly loading: readonly Missing[]
  readonly signatures: readonly {
    readonly name: string
    readonly ready: boolean
    readonly missing: readonly Missing[]
  }[]
  readonly towers: { readonly query: { readonly ready: boolean } | null; readonly candidate: object | null }
}

const QUERY = join(DEMO, 'query_model')
const folder = scratch()
let made = 0

/** A copy of a SavedModel in which ops have other names, of the same length so that the file stays whole. */
function renamed(path: string, names: Readonly<Record<string, string>> = {}): string {
  const copy = join(folder, `${made++}`)
  cpSync(path, copy, { recursive: true })
  let bytes = readFileSync(join(copy, 'saved_model.pb')).toString('latin1')
  for (const [op, other] of Object.entries(names)) {
    expect(other).toHaveLength(op.length)
    bytes = bytes.replaceAll(op, other)
  }
  writeFileSync(join(copy, 'saved_model.pb'), bytes, 'latin1')
  return copy
}

async function check(
  path: string,
  ...options: readonly string[]
): Promise<Readiness & { readonly status: number | null }> {
  const { status, stdout } = await run(['check', path, '--json', ...options])
  return { ...(JSON.parse(stdout) as Readiness), status }
}

describe.concurrent('check', () => {
  test('finds exports and bundles ready that twotower runs, with their towers', async () => {
    const bundle = join(folder, 'bundle')
    await convertDemo(bundle)
    for (const path of [QUERY, bundle, model('control_flow_v1'), model('tower_signatures')]) {
      const { status, ready, problems, loading, signatures } = await check(path)
      expect({ path, status, ready, problems, loading }).toEqual({
        path,
        status: 0,
        ready: true,
        problems: [],
        loading: [],
      })
      expect(signatures.filter((signature) => !signature.ready)).toEqual([])
    }
    expect(await twotower(['check', bundle])).toMatch(/^ {2}query +ready: birth_year, .*$/m)
  })

  test('names the node, the functions, the feature and the outputs of each missing op', async () => {
    const path = renamed(model('text_vectorization'), { StringLower: 'StringQower' })
    const { status, ready, signatures } = await check(path)
    expect({ status, ready }).toEqual({ status: 1, ready: false })
    const [{ missing }] = signatures
    // Layers that lower their text, one an output; the one that does not is not blocked.
    expect(missing.flatMap(({ outputs }) => outputs).sort()).toEqual([
      'bigrams',
      'int',
      'int_free',
      'multi_hot',
      'tf_idf',
    ])
    for (const { op, node, functions, features } of missing) {
      expect(op).toBe('StringQower')
      expect(node).toMatch(/^StatefulPartitionedCall\/.*\/StringQower$/)
      expect(functions[0]).toMatch(/^__inference_signature_wrapper_/)
      expect(features).toEqual(['text'])
    }
  })

  test('lists the node at which running stops', async () => {
    const path = renamed(model('text_vectorization'), { StringLower: 'StringQower' })
    const refused = await run(['run', path], '{"inputs": {"text": ["a"]}}\n')
    expect(refused.stdout).toContain('`twotower check` lists all such nodes')
    const [{ missing }] = (await check(path)).signatures
    expect(missing.some(({ node }) => refused.stdout.includes(`node \\"${node}\\"`))).toBe(true)
  })

  test('does not count what only saving and training need', async () => {
    expect(readFileSync(join(QUERY, 'saved_model.pb')).includes('MergeV2Checkpoints')).toBe(true)
    expect((await check(renamed(QUERY, { MergeV2Checkpoints: 'MergeV2Checkpointz' }))).ready).toBe(true)
  })

  test('says of an op inside a conditional in which one it stands', async () => {
    const { signatures } = await check(renamed(model('if_while'), { LogicalAnd: 'LogicalQnd' }))
    const inside = signatures.flatMap(({ missing }) => missing.flatMap((found) => found.inside))
    expect(inside.length).toBeGreaterThan(0)
    for (const at of inside) expect(at).toMatch(/\((Stateless)?(If|While|Case)\)$/)
  })

  test('finds the op that would fill a table', async () => {
    const name = { InitializeTableFromTextFileV2: 'InitializeTableFromTextFileQ2' }
    const { status, signatures, towers } = await check(renamed(QUERY, name))
    expect(status).toBe(1)
    const [{ missing }] = signatures
    expect(missing).toHaveLength(readdirSync(join(QUERY, 'assets')).length)
    for (const found of missing) {
      expect(found).toMatchObject({ op: name.InitializeTableFromTextFileV2, features: ['recent_titles', 'viewer_id'] })
      expect(found.functions[0]).toMatch(/^__inference__initializer_/)
      expect(found.outputs).toEqual(['embedding'])
    }
    expect(towers.query?.ready).toBe(false)
  })

  for (const [other, kind, todo] of [
    ['StaticRegexRepGrad', 'training op', /export a serving signature/],
    ['Lib>StaticReplacer', 'custom op', /library outside TensorFlow/],
    ['FastTokenizeByRule', 'text op', /text tokenizer outside: .*preprocess\.json/],
    ['StaticRegexReplacx', 'op', /custom op, or one of TensorFlow/],
  ] as const) {
    test(`says what to do about ${other}: ${kind}`, async () => {
      const { signatures } = await check(renamed(model('text_vectorization'), { StaticRegexReplace: other }))
      expect(signatures[0].missing[0].kind).toBe(kind)
      expect(signatures[0].missing[0].todo).toMatch(todo)
    })
  }

  test('lists all assets that are missing, not only the first', async () => {
    const path = renamed(QUERY)
    rmSync(join(path, 'assets'), { recursive: true })
    const { status, problems, signatures } = await check(path)
    expect(status).toBe(1)
    expect(problems.map(({ file }) => file).sort()).toEqual(
      readdirSync(join(QUERY, 'assets'))
        .map((name) => `assets/${name}`)
        .sort(),
    )
    expect(signatures.map(({ name, ready }) => ({ name, ready }))).toEqual([{ name: 'serving_default', ready: false }])
  })

  test('names the tensor whose bytes are damaged, and what is missing beside it', async () => {
    const path = renamed(QUERY, { StaticRegexReplace: 'StaticRegexReplaxe' })
    const shard = join(path, 'variables/variables.data-00000-of-00001')
    const bytes = readFileSync(shard)
    bytes[3000] ^= 255
    writeFileSync(shard, bytes)
    const { status, problems, signatures } = await check(path)
    expect(status).toBe(1)
    expect(problems).toHaveLength(1)
    expect(problems[0].file).toBe('variables/variables.data-00000-of-00001')
    expect(problems[0].problem).toMatch(/^tensor ".*: damaged/)
    expect(signatures[0].missing[0]?.op).toBe('StaticRegexReplaxe')
  })

  test('says that variables are missing, that a file is cut short, and which tags there are', async () => {
    const bare = renamed(QUERY)
    rmSync(join(bare, 'variables'), { recursive: true })
    expect((await check(bare)).problems).toEqual([
      { file: 'variables/variables.index', problem: expect.stringMatching(/^missing: .* copy the folder variables/) },
    ])
    const functions = renamed(model('object_functions'))
    rmSync(join(functions, 'variables'), { recursive: true })
    expect((await check(functions)).problems).toEqual([
      { file: 'variables/variables.index', problem: expect.stringMatching(/^missing: .* copy the folder variables/) },
    ])
    const cut = renamed(QUERY)
    writeFileSync(join(cut, 'saved_model.pb'), readFileSync(join(QUERY, 'saved_model.pb')).subarray(0, 5000))
    expect((await check(cut)).problems).toEqual([{ file: 'saved_model.pb', problem: expect.any(String) }])
    expect((await check(model('other_tags'), '--tags', 'training')).problems[0].problem).toMatch(/training.*custom/)
  })

  test('ends with 2 where it is called wrongly', async () => {
    for (const args of [['check'], ['check', QUERY, '--tags', ',']])
      expect(await run(args)).toMatchObject({ status: 2, stdout: '' })
  })
})
