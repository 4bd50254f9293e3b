import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { filesFolder } from '../../../src/platform/files.ts'
import { type Folder, memoryFolder, readAll, readFile, safePath } from '../../../src/platform/folder.ts'
import { nodeFolder } from '../../../src/platform/node.ts'
import { bytesOf } from '../savedmodel/write.ts'

const files = {
  'saved_model.pb': bytesOf('graph'),
  'assets/b.txt': bytesOf('bb'),
  'assets/a.txt': bytesOf('a'),
  'assets/deep/c.txt': bytesOf('c'),
  'empty.bin': new Uint8Array(0),
}
const root = mkdtempSync(join(tmpdir(), 'folder-'))
afterAll(() => rmSync(root, { recursive: true }))
const model = join(root, 'model')
mkdirSync(join(model, 'assets/deep'), { recursive: true })
for (const [path, bytes] of Object.entries(files)) writeFileSync(join(model, path), bytes)
writeFileSync(join(root, 'secret.txt'), 'secret')
// A name that begins as the folder's does.
mkdirSync(join(root, 'model2'))
writeFileSync(join(root, 'model2/secret.txt'), 'secret')

/** A file as a browser gives it where its user picks a folder. */
const picked = ([path, bytes]: [string, Uint8Array]): File => {
  const file = new File([new Uint8Array(bytes)], path.replace(/.*\//, ''))
  Object.defineProperty(file, 'webkitRelativePath', { value: `model/${path}` })
  return file
}

const folders: [string, Folder][] = [
  ['memory', memoryFolder('model', new Map(Object.entries(files)))],
  ['disk', nodeFolder(model)],
  ['disk at an address', nodeFolder(pathToFileURL(model))],
  ['a browser’s files', filesFolder(Object.entries(files).map(picked))],
]

describe.each(folders)('a folder in %s', (_, folder) => {
  test('gives whole files and ranges of them', async () => {
    expect(await readFile(folder, 'saved_model.pb')).toEqual(files['saved_model.pb'])
    expect(await readFile(folder, './assets//deep/c.txt')).toEqual(files['assets/deep/c.txt'])
    const source = (await folder.open('saved_model.pb'))!
    expect(source.byteLength).toBe(5)
    expect(await source.slice(1, 3)).toEqual(bytesOf('ra'))
    expect(await source.slice(5, 5)).toEqual(new Uint8Array(0))
    await source.close?.()
  })

  test('gives bytes that are the caller’s own', async () => {
    const first = await readFile(folder, 'saved_model.pb')
    first?.fill(0)
    expect(await readFile(folder, 'saved_model.pb')).toEqual(bytesOf('graph'))
  })

  test('gives an empty file', async () => {
    const source = (await folder.open('empty.bin'))!
    expect(await readAll(source)).toEqual(new Uint8Array(0))
    await source.close?.()
  })

  test('gives null for what is not a file', async () => {
    for (const path of ['nothing', 'assets', 'assets/nothing', 'saved_model.pb/x', '']) {
      expect(await folder.open(path)).toBeNull()
    }
  })

  test('lists the files directly in a folder, sorted', async () => {
    expect(await folder.list('assets')).toEqual(['a.txt', 'b.txt'])
    expect(await folder.list('')).toEqual(['empty.bin', 'saved_model.pb'])
    expect(await folder.list('nothing')).toEqual([])
    expect(await folder.list('saved_model.pb')).toEqual([])
  })

  test('refuses ranges that are not inside the file', async () => {
    const source = (await folder.open('saved_model.pb'))!
    for (const [start, end] of [
      [0, 6],
      [-1, 2],
      [3, 2],
      [0.5, 2],
      [0, Number.NaN],
      [0, 2 ** 60],
    ]) {
      await expect(source.slice(start, end)).rejects.toThrow(RangeError)
    }
    await source.close?.()
  })

  test('refuses paths that leave it', async () => {
    for (const path of [
      '../secret.txt',
      '/etc/passwd',
      'assets/../../secret.txt',
      'assets\\a.txt',
      'C:/x',
      'a\0',
      '..',
    ]) {
      await expect(folder.open(path)).rejects.toThrow(RangeError)
      await expect(folder.list(path)).rejects.toThrow(RangeError)
    }
  })
})

test('a Buffer in memory gives copies too', async () => {
  const buffer = Buffer.from('graph')
  const bytes = await readFile(memoryFolder('model', { x: buffer }), 'x')
  bytes?.fill(0)
  expect(buffer.toString()).toBe('graph')
})

test('a memory folder refuses files outside it', () => {
  expect(() => memoryFolder('model', { '../x': new Uint8Array(0) })).toThrow(RangeError)
})

test('safe paths lose what they do not need and keep dots in names', () => {
  expect(safePath('./a//b/./c..txt/')).toBe('a/b/c..txt')
  expect(safePath('...')).toBe('...')
  expect(safePath('')).toBe('')
})

describe('on disk', () => {
  test('a link inside the folder is followed, one that leaves it is refused', async () => {
    symlinkSync('assets/a.txt', join(model, 'inside'))
    symlinkSync('../secret.txt', join(model, 'outside'))
    symlinkSync(join(root, 'model2'), join(model, 'sibling'))
    const folder = nodeFolder(model)
    expect(await readFile(folder, 'inside')).toEqual(bytesOf('a'))
    await expect(folder.open('outside')).rejects.toThrow(/is a link that leaves the folder/)
    await expect(folder.open('sibling/secret.txt')).rejects.toThrow(RangeError)
    await expect(folder.list('sibling')).rejects.toThrow(RangeError)
    for (const link of ['inside', 'outside', 'sibling']) rmSync(join(model, link))
  })

  test('a folder that is itself a link is read', async () => {
    symlinkSync('model', join(root, 'link'))
    expect(await readFile(nodeFolder(join(root, 'link')), 'saved_model.pb')).toEqual(bytesOf('graph'))
  })

  test('a path that is missing or a file is named', () => {
    expect(() => nodeFolder(join(root, 'nothing'))).toThrow(
      `there is no folder at ${JSON.stringify(join(root, 'nothing'))}`,
    )
    expect(() => nodeFolder(join(model, 'saved_model.pb'))).toThrow(/saved_model.pb" is a file; give the folder/)
  })

  test('a file that gets shorter while it is read is an error', async () => {
    writeFileSync(join(model, 'shrinking'), 'abcdef')
    const source = (await nodeFolder(model).open('shrinking'))!
    writeFileSync(join(model, 'shrinking'), 'ab')
    await expect(source.slice(0, 6)).rejects.toMatchObject({ name: 'CorruptModelError', file: 'shrinking' })
    await source.close?.()
    rmSync(join(model, 'shrinking'))
  })
})
