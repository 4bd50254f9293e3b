import { beforeAll, expect, test } from 'vitest'
import type { OpTable, Resource, Variable } from '../../../src/graph/index.ts'
import { resourcesOf } from '../../../src/import/bind.ts'
import { Builder } from '../../../src/import/builder.ts'
import { restore } from '../../../src/import/restore.ts'
import { loadAllOps } from '../../../src/ops/all.ts'
import type { Checkpoint, tensorflow } from '../../../src/savedmodel/index.ts'
import { tensor } from '../../../src/tensor/index.ts'

let ops: OpTable
beforeAll(async () => {
  ops = await loadAllOps()
})

const texts = (name: string, values: readonly string[]) => ({
  name,
  op: 'Const',
  attr: {
    value: {
      tensor: {
        dtype: 7,
        tensorShape: { dim: [{ size: { toNumber: () => values.length } }] },
        stringVal: values.map((value) => new TextEncoder().encode(value)),
      },
    },
  },
})

/** Two variables, and what restores them from the slices that are asked for. */
function restoring(inputs: readonly string[], slices: readonly string[]) {
  const variables = ['a', 'b'].flatMap((name, i) => [
    { name, op: 'VarHandleOp', attr: { dtype: { type: 1 }, shared_name: { s: new TextEncoder().encode(name) } } },
    { name: `set ${name}`, op: 'AssignVariableOp', input: [name, `read:${i}`], attr: { dtype: { type: 1 } } },
  ])
  const node = [
    texts('path', ['variables/variables']),
    texts('names', ['key a', 'key b']),
    texts('slices', slices),
    { name: 'read', op: 'RestoreV2', input: inputs, attr: { dtypes: { list: { type: [1, 1] } } } },
    ...variables,
    { name: 'restore', op: 'NoOp', input: ['^set a', '^set b'] },
  ]
  const builder = new Builder({ node } as unknown as tensorflow.GraphDef.$Properties, ops, { shareByName: true })
  const wanted = resourcesOf(builder.build(['a:0', 'b:0'], [], []))
  const asked: string[] = []
  const read = (key: string, slice: string) => {
    asked.push(`${key}${slice}`)
    return Promise.resolve(tensor('float32', [], Float32Array.of(asked.length)))
  }
  const checkpoint = { read: (key: string) => read(key, ''), readSlice: read } as unknown as Checkpoint
  return { asked, wanted, done: () => restore(builder, { restoreOpName: 'restore' }, checkpoint, wanted, ops) }
}

const heldBy = (resource: Resource) => (resource as Variable).value?.data

test('variables get what the export reads for them, whole or a slice', async () => {
  const { asked, wanted, done } = restoring(['path', 'names', 'slices'], ['', '2 0,1'])
  await done()
  expect(asked).toEqual(['key a', 'key b2 0,1'])
  expect([...wanted].map(heldBy)).toEqual([Float32Array.of(1), Float32Array.of(2)])
})

test.each([
  [
    ['path', 'names'],
    ['', ''],
  ],
  [['path', 'names', 'slices'], ['']],
])('a restore of %j with the slices %j is refused by its node', async (inputs, slices) => {
  await expect(restoring(inputs, slices).done()).rejects.toThrow(
    'saved_model.pb: node "read" (RestoreV2) does not name what it restores',
  )
})
