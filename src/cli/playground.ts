import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Bundle, convert } from '../convert.ts'
import { readModel } from '../load.ts'
import { type NewFile, writeFolder } from '../platform/nodewrite.ts'
import { folderAt } from '../platform/open.ts'
import { MANIFEST, WEIGHTS } from '../weights/index.ts'
import { UsageError } from './exit.ts'
import { OFFERS, type Offer, pageFiles, type Site, tfjsFiles } from './site.ts'
import { tagsOf } from './stdio.ts'
import { bytesText, counted } from './words.ts'

export interface PlaygroundOptions {
  readonly output: string
  readonly items?: string
  readonly examples?: string
  readonly tfjs?: boolean
  readonly tags?: string
}

const DEMO = fileURLToPath(new URL('../../weights/demo/', import.meta.url))
/** By these a folder is known to be a site that may be replaced. */
const OWN = ['index.html', OFFERS]

interface Offered {
  readonly offer: Offer
  readonly files: readonly NewFile[]
}

/** Writes the playground as a static site, with models that it offers: those that are named, else the demo's. */
export async function playground(paths: readonly string[], options: PlaygroundOptions): Promise<void> {
  const rows = [options.items, options.examples].filter((file) => file !== undefined)
  if (rows.length > 0 && paths.length !== 1) throw new UsageError('--items and --examples are for one model: name it')
  const tfjs = options.tfjs === true ? tfjsFiles() : new Map<string, string>()
  if (tfjs === null)
    throw new Error('--tfjs wants tfjs-wasm: npm install @tensorflow/tfjs-core @tensorflow/tfjs-backend-wasm')
  const names = paths.map((path) => basename(resolve(path)))
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined)
    throw new UsageError(`two folders are called ${JSON.stringify(twice)}: models are offered by the folders' names`)
  const offered: Offered[] = []
  if (paths.length === 0) offered.push(await demo())
  for (const [i, path] of paths.entries()) {
    const bundle = await Bundle.of(await readModel(await folderAt(path), tagsOf(options)))
    offered.push(await offer(names[i], bundle, options.items, options.examples))
  }
  const site: Site = { models: offered.map(({ offer }) => offer), tfjs: tfjs.size > 0 }
  const own = await Promise.all(
    [...(await pageFiles()), ...tfjs].map(async ([name, path]) => ({ name, pieces: [await readFile(path)] })),
  )
  const files = [...own, ...offered.flatMap(({ files }) => files), text(OFFERS, `${JSON.stringify(site, null, 1)}\n`)]
  await writeFolder(options.output, files, (existing) => OWN.every((name) => existing.includes(name)))
  const bytes = files.flatMap(({ pieces }) => pieces).reduce((sum, { length }) => sum + length, 0)
  process.stdout.write(
    `${options.output}: ${counted(files.length, 'file')}, ${bytesText(bytes)}, offers ${site.models.map(({ name }) => name).join(', ')}\n`,
  )
}

const demo = async (): Promise<Offered> =>
  offer(
    'demo films',
    await convert({ query: `${DEMO}query_model`, candidate: `${DEMO}candidate_model` }),
    `${DEMO}films.jsonl`,
    `${DEMO}viewers.jsonl`,
  )

/** A model with its rows as files of the site. */
async function offer(name: string, bundle: Bundle, items?: string, examples?: string): Promise<Offered> {
  const at = `models/${name.replace(/[^\w.-]+/g, '-')}`
  const rows = await Promise.all(
    Object.entries({ items, examples })
      .filter((entry): entry is [string, string] => entry[1] !== undefined)
      .map(async ([what, file]) => ({ what, name: `${at}/${basename(file)}`, pieces: [await readFile(file)] })),
  )
  const addresses = Object.fromEntries(rows.map(({ what, name }) => [what, name]))
  return {
    offer: { name, model: at, ...addresses },
    files: [
      text(`${at}/${MANIFEST}`, bundle.manifest),
      { name: `${at}/${WEIGHTS}`, pieces: [bundle.weights] },
      ...rows,
    ],
  }
}

const text = (name: string, written: string): NewFile => ({ name, pieces: [new TextEncoder().encode(written)] })
