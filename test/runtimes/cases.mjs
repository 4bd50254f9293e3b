// The table of cases that every runtime runs. A case throws where it fails; what it returns must be the same in all
// runtimes. It gets a world:
//   twotower, search   the package's entries, imported as the runtime's user imports them
//   data               the address under which the harness serves `weights/`, `test/fixtures/` and the converted demo
//   disk               the same as a path, where the runtime has a file system, else null
//   wasm               the kernels compiled, where the runtime compiles none itself
//   page               whether addresses may be relative
//   storage            a browser's private file system (navigator.storage), where there is one
//   strict             whether the runtime was told to make no code out of text
import { bytesOfTensor, concat, expectTensor, tensorOf } from './goldens.mjs'

/** SavedModels of few bytes that meet many parts: strings, tokenizers, hashes, 64-bit integers, half floats, bytes. */
const FIXTURES = [
  'hashing',
  'int64_exact',
  'invalid_utf8',
  'half_bfloat16',
  'text_vectorization',
  'text_pipelines',
  'sentencepieces',
  'bn_ln_tower',
  'asserts',
]

export const CASES = [
  {
    name: 'embeds the demo’s bundle from an address as TensorFlow does',
    run: async (world) => checkDemo(world, await load(world, `${world.data}/movies`)),
  },
  {
    name: 'embeds the demo’s bundle from a path',
    needs: 'disk',
    run: async (world) => checkDemo(world, await load(world, `${world.disk}/movies`)),
  },
  {
    name: 'embeds the demo’s bundle from its bytes',
    async run(world) {
      const { manifest, weights } = await movies(world)
      const text = new TextDecoder().decode(manifest)
      for (const given of [text, manifest, JSON.parse(text)]) {
        const source = { manifest: given, weights, ...(world.wasm && { wasm: world.wasm }) }
        await checkDemo(world, await world.twotower.load(source))
      }
    },
  },
  {
    name: 'embeds the demo’s bundle from the files that a user picked',
    async run(world) {
      const { manifest, weights } = await movies(world)
      const files = [new File([manifest], 'manifest.json'), new File([weights], 'weights.bin')]
      return checkDemo(world, await load(world, files))
    },
  },
  {
    name: 'embeds the demo’s bundle from an address relative to the page',
    needs: 'page',
    run: async (world) => checkDemo(world, await load(world, '/movies')),
  },
  {
    name: 'embeds the demo’s bundle from a folder of the browser’s private file system',
    needs: 'storage',
    async run(world) {
      const folder = await (await world.storage.getDirectory()).getDirectoryHandle('movies', { create: true })
      const { manifest, weights } = await movies(world)
      for (const [name, content] of [
        ['manifest.json', manifest],
        ['weights.bin', weights],
      ]) {
        const file = await (await folder.getFileHandle(name, { create: true })).createWritable()
        await file.write(content)
        await file.close()
      }
      await checkDemo(world, await load(world, folder))
    },
  },
  {
    name: 'scores pairs by the similarity in the graph',
    async run(world) {
      const model = await load(world, `${world.data}/movies`)
      const pair = (await demoGoldens(world)).map(([first]) => first)
      const [user, item] = pair.map(featuresOf)
      const [a, b] = pair.map(({ outputs }) => outputs.embedding.data)
      const score = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
      expectTensor(model.score(user, item), { dtype: 'float32', shape: [1], data: [score] }, 'score')
      return model.similarity
    },
  },
  {
    name: 'ranks the demo’s films as TensorFlow does',
    async run(world) {
      const model = await load(world, `${world.data}/movies`)
      const { ids, vectors } = await embedFilms(world, model)
      const index = new world.search.ExactIndex(
        ids,
        vectors,
        model.structure.similarity,
        world.wasm ?? (await world.search.compileKernels()),
      )
      const { viewers } = await golden(world, 'weights/demo/goldens/ranking')
      for (const { viewer, embedding, top } of viewers) {
        const found = index.search(Float32Array.from(embedding), top.length)
        equal(found.ids.join(), top.map(({ id }) => id).join(), viewer)
        expectTensor(
          { dtype: 'float32', shape: [top.length], data: found.scores },
          { dtype: 'float32', shape: [top.length], data: top.map(({ score }) => score) },
          viewer,
        )
      }
    },
  },
  ...FIXTURES.map((fixture) => ({
    name: `runs the SavedModel ${fixture} as TensorFlow does`,
    async run(world) {
      const model = await load(world, `${world.data}/test/fixtures/models/${fixture}`)
      checkCases(model, await golden(world, `test/fixtures/goldens/${fixture}`))
      return model.signatures.map(({ name }) => name)
    },
  })),
  {
    name: 'runs a SavedModel from a path',
    needs: 'disk',
    async run(world) {
      const model = await load(world, `${world.disk}/test/fixtures/models/hashing`)
      checkCases(model, await golden(world, 'test/fixtures/goldens/hashing'))
    },
  },
  {
    name: 'converts a pair of SavedModels to the same bytes',
    async run(world) {
      const at = (side) => new URL(`${world.data}/weights/demo/${side}_model`)
      const bundle = await world.twotower.convert({ query: at('query'), candidate: at('candidate') })
      await checkDemo(world, await load(world, bundle))
      return digest([new TextEncoder().encode(bundle.manifest), bundle.weights])
    },
  },
  {
    name: 'gives the same bits where they are asked for',
    async run(world) {
      const options = { deterministic: true }
      const model = await load(world, `${world.data}/movies`, options)
      const { vectors } = await embedFilms(world, model)
      const [viewers] = await demoGoldens(world)
      const embeddings = viewers.map((example) => model.query.embed(featuresOf(example)))
      const single = embeddings.filter(({ shape: [rows] }) => rows === 1)
      const scores = single.map((user) =>
        model.score(user, { dtype: 'float32', shape: [vectors.length / 64, 64], data: vectors }),
      )
      const digests = {
        'the demo': await digest(
          [vectors, ...embeddings, ...scores].map((part) =>
            'data' in part ? bytesOfTensor(part) : new Uint8Array(part.buffer),
          ),
        ),
      }
      for (const fixture of FIXTURES) {
        const loaded = await load(world, `${world.data}/test/fixtures/models/${fixture}`, options)
        const { cases } = await golden(world, `test/fixtures/goldens/${fixture}`)
        const outputs = cases
          .filter(({ error }) => error === undefined)
          .flatMap((example) => Object.values(loaded.run(example.signature, featuresOf(example))))
        digests[fixture] = await digest(outputs.map(bytesOfTensor))
      }
      return digests
    },
  },
  {
    name: 'gives arrays that are the caller’s own',
    async run(world) {
      const model = await load(world, `${world.data}/movies`)
      const [viewers] = await demoGoldens(world)
      const first = model.query.embed(featuresOf(viewers[0]))
      const before = [...first.data]
      for (let i = 0; i < 1000; i++) model.query.embed(featuresOf(viewers[i % viewers.length]))
      equal(String(first.data), String(before), 'an embedding after a thousand others')
    },
  },
  {
    name: 'refuses a wrong feature by what was wanted and what came',
    async run(world) {
      const model = await load(world, `${world.data}/movies`)
      const [[viewer]] = await demoGoldens(world)
      const features = featuresOf(viewer)
      return [
        refusal(() => model.query.embed({ ...features, birth_yaer: [1980] }), RangeError, /birth_yaer/),
        refusal(() => model.query.embed({ ...features, birth_year: ['young'] }), TypeError, /birth_year/),
        refusal(() => model.query.embed({ ...features, taste: [[1, 2]] }), RangeError, /taste/),
        refusal(() => model.run('serving', features), RangeError, /serving/),
      ]
    },
  },
  {
    name: 'refuses what TensorFlow refuses, as an InvalidArgumentError',
    async run(world) {
      const model = await load(world, `${world.data}/test/fixtures/models/asserts`)
      const { cases } = await golden(world, 'test/fixtures/goldens/asserts')
      const refused = cases.filter(({ error }) => error !== undefined)
      if (refused.length === 0) throw new Error('the goldens hold no refusal')
      return refused.map((example) =>
        refusal(() => model.run(example.signature, featuresOf(example)), world.twotower.InvalidArgumentError, /./),
      )
    },
  },
  {
    name: 'refuses a damaged bundle as a CorruptModelError that names the file',
    async run(world) {
      const { manifest, weights } = await movies(world)
      const damaged = weights.slice()
      damaged[damaged.length >> 1] ^= 1
      const { CorruptModelError } = world.twotower
      return [
        await rejection(load(world, { manifest, weights: damaged }), CorruptModelError, /^weights\.bin/),
        await rejection(load(world, { manifest, weights: weights.slice(64) }), CorruptModelError, /^weights\.bin/),
        await rejection(load(world, { manifest: '{}', weights }), CorruptModelError, /^manifest\.json/),
      ]
    },
  },
  {
    name: 'refuses an op that there is not as an UnsupportedOpError',
    async run(world) {
      const { manifest, weights } = await movies(world)
      const unknown = new TextDecoder()
        .decode(manifest)
        .replaceAll('"op": "twotower>L2Normalize"', '"op": "L3Normalize"')
        .replace(/"xxh32": \d+,/, '')
      const source = { manifest: unknown, weights, ...(world.wasm && { wasm: world.wasm }) }
      const [[viewer]] = await demoGoldens(world)
      const run = async () => (await world.twotower.load(source)).query.embed(featuresOf(viewer))
      return rejection(run(), world.twotower.UnsupportedOpError, /L3Normalize/)
    },
  },
  {
    name: 'says that there is no model at an address',
    run: (world) =>
      rejection(
        load(world, `${world.data}/nothing`),
        world.twotower.CorruptModelError,
        /saved_model\.pb: missing in http/,
      ),
  },
  {
    name: 'says what to give where the runtime compiles no WebAssembly',
    needs: 'wasm',
    run: (world) =>
      rejection(world.twotower.load(`${world.data}/movies`), Error, /import wasm from 'twotower\/kernels\.wasm'/),
  },
  {
    name: 'says what to give where there is no file system',
    needs: 'wasm',
    run: (world) => rejection(load(world, 'weights/movies'), RangeError, /no file system; give an address/),
  },
  {
    name: 'says that there is no folder at a path',
    needs: 'disk',
    run: (world) => rejection(load(world, `${world.disk}/nothing`), RangeError, /there is no folder at/),
  },
  {
    name: 'ran where no code is made out of text',
    needs: 'strict',
    async run() {
      // biome-ignore lint/security/noGlobalEval: that it fails is the case
      for (const made of [() => new Function('return 1')(), () => globalThis.eval('1')]) refusal(made, Error, /./)
    },
  },
]

/** Each case's outcome: `{ value }`, `{ error }` or `{ skipped }`, by its name. */
export async function runCases(world) {
  const outcomes = {}
  for (const { name, needs, run } of CASES) {
    if (needs !== undefined && !world[needs]) outcomes[name] = { skipped: `no ${needs}` }
    else
      outcomes[name] = await run(world).then(
        (value) => ({ value: value ?? null }),
        (error) => ({ error: String(error?.stack ?? error) }),
      )
  }
  return outcomes
}

const load = (world, source, options) =>
  world.twotower.load(source, { ...options, ...(world.wasm && { wasm: world.wasm }) })

async function bytes(address) {
  const response = await fetch(address)
  if (!response.ok) throw new Error(`${address}: ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}

const text = async (address) => new TextDecoder().decode(await bytes(address))

const golden = async ({ data }, path) => JSON.parse(await text(`${data}/${path}.json`))

const movies = async ({ data }) => ({
  manifest: await bytes(`${data}/movies/manifest.json`),
  weights: await bytes(`${data}/movies/weights.bin`),
})

const featuresOf = ({ inputs }) =>
  Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, tensorOf(input)]))

function checkCases(model, { cases }) {
  for (const [i, example] of cases.entries()) {
    const run = () => model.run(example.signature, featuresOf(example))
    if (example.error !== undefined) refusal(run, Error, /./)
    else {
      const outputs = run()
      for (const [name, wanted] of Object.entries(example.outputs))
        expectTensor(outputs[name], wanted, `case ${i}, ${example.signature}, ${name}`)
    }
  }
}

/** What the demo's viewers and films embed to; what its towers refuse is left out. */
const demoGoldens = (world) =>
  Promise.all(
    ['query', 'candidate'].map(async (side) => {
      const { cases } = await golden(world, `weights/demo/goldens/${side}_model`)
      return cases.filter(({ signature, error }) => signature === 'serving_default' && error === undefined)
    }),
  )

async function checkDemo(world, model) {
  const [viewers, films] = await demoGoldens(world)
  for (const [tower, cases] of [
    [model.query, viewers],
    [model.candidate, films],
  ])
    for (const [i, example] of cases.entries())
      expectTensor(tower.embed(featuresOf(example)), example.outputs.embedding, `${tower.side} ${i}`)
}

/** The demo's catalogue, embedded a thousand films at a time. */
async function embedFilms({ data }, model) {
  const films = (await text(`${data}/weights/demo/films.jsonl`))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const names = model.candidate.features.map(({ name }) => name)
  const vectors = new Float32Array(films.length * 64)
  for (let from = 0; from < films.length; from += 1000) {
    const batch = films.slice(from, from + 1000)
    const features = Object.fromEntries(names.map((name) => [name, batch.map((film) => film[name])]))
    vectors.set(model.candidate.embed(features).data, from * 64)
  }
  return { ids: films.map(({ id }) => id), vectors }
}

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0)

async function digest(parts) {
  const hash = await crypto.subtle.digest('SHA-256', concat(parts))
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function equal(got, wanted, what) {
  if (got !== wanted) throw new Error(`${what}: wanted ${wanted}, got ${got}`)
}

/** The message with which `run` fails, as an error of `kind` that says `words`. */
function refusal(run, kind, words) {
  let result
  try {
    result = run()
  } catch (error) {
    return message(error, kind, words)
  }
  throw new Error(`wanted ${kind.name} ${words}, got an answer: ${JSON.stringify(result)?.slice(0, 200)}`)
}

const rejection = (promise, kind, words) =>
  promise.then(
    () => {
      throw new Error(`wanted ${kind.name} ${words}, got an answer`)
    },
    (error) => message(error, kind, words),
  )

function message(error, kind, words) {
  if (error instanceof kind && words.test(error.message)) return `${error.name}: ${error.message}`
  throw new Error(`wanted ${kind.name} ${words}, got ${error.name}: ${error.message}`, { cause: error })
}
