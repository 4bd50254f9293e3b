import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { VersionFolder } from '../../src/cli/versions.ts'
import type { Model } from '../../src/engine/model.ts'
import { load } from '../../src/load.ts'
import { ServedModel, Version } from '../../src/serve/models.ts'
import { NO_OBSERVER } from '../../src/serve/observer.ts'
import { model, scratch } from './command.ts'

const folder = scratch()
let any: Model
beforeAll(async () => {
  any = await load(model('tower_signatures'))
})

/** A folder with a file that stands for a model: what is in it does not matter, `load` is the test's own. */
function put(path: string, text: string): string {
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'manifest.json'), text)
  return path
}

/** The folder of a served model, what happened to it, and what was loaded. */
function watching(path: string, loading: (path: string) => void = () => {}, keep = 1) {
  const [served, events, loaded] = [new ServedModel('m'), [] as string[], [] as string[]]
  const versions = new VersionFolder(served, path, {
    keep,
    async load(from) {
      loaded.push(from.slice(folder.length + 1))
      loading(from)
      return any
    },
    version: (number, made) => new Version(number, made, { maxRows: 1, maxWait: 0 }, NO_OBSERVER),
    tell: (event, number) => events.push(`${event} ${number}`),
  })
  return { served, versions, events, loaded }
}

describe('the versions of a model', () => {
  test('a model that lies in the folder itself is version 1, and the newest of numbered ones is served', async () => {
    const one = watching(put(join(folder, 'one'), 'a'))
    await one.versions.start()
    expect(one.served.latest?.number).toBe(1n)
    for (const name of ['2', '00010', '9', 'tmp', '3.new']) put(join(folder, 'many', name), name)
    const many = watching(join(folder, 'many'), undefined, 2)
    await many.versions.start()
    expect(many.loaded).toEqual(['many/00010', 'many/9'])
    expect(many.served.status.map(({ number }) => number)).toEqual([9n, 10n])
  })

  test('a model that is replaced while it is loaded at start is loaded again', async () => {
    const path = put(join(folder, 'swapped'), 'old')
    let tries = 0
    const { served, versions, loaded } = watching(path, () => {
      if (tries++ > 0) return
      renameSync(path, `${path}.old`)
      put(path, 'new')
      throw new Error('weights.bin: does not go with manifest.json')
    })
    await versions.start()
    expect(loaded).toHaveLength(2)
    expect(served.latest?.number).toBe(1n)
  })

  test('a model that cannot be loaded is not tried again before it changes', async () => {
    const path = put(join(folder, 'broken'), 'old')
    let broken = true
    const { served, versions, loaded } = watching(path, () => {
      if (broken) throw new Error('broken')
    })
    await expect(versions.start()).rejects.toThrow('broken')
    await versions.look()
    await versions.look()
    expect(loaded).toHaveLength(1)
    expect(served.status).toEqual([{ number: 1n, state: 'END', problem: 'broken' }])
    broken = false
    put(path, 'mended')
    // Once to see that it has changed, once to see that it has stopped changing.
    await versions.look()
    expect(loaded).toHaveLength(1)
    await versions.look()
    expect(served.latest?.number).toBe(1n)
  })

  test('an older version goes when the newer one answers, and a folder that is gone changes nothing', async () => {
    const path = join(folder, 'ageing')
    put(join(path, '1'), 'a')
    const { served, versions, events } = watching(path)
    await versions.start()
    put(join(path, '2'), 'b')
    await versions.look()
    expect(served.latest?.number).toBe(1n)
    await versions.look()
    expect(events).toEqual(['loaded 1', 'loaded 2', 'retired 1'])
    rmSync(path, { recursive: true })
    await versions.look()
    expect(served.latest?.number).toBe(2n)
  })
})
