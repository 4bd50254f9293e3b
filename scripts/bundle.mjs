// Bundles src/ into dist/: what is loaded together lies together, because a runtime opens and links a file slower than it
// compiles one. What only the importer or a rarer op needs stays in chunks of its own, loaded on demand.
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { rolldown } from 'rolldown'

/** Files of src/, by folder. */
const files = (folders) => {
  const paths = Object.entries(folders).flatMap(([folder, names]) =>
    names
      .trim()
      .split(/\s+/)
      .map((name) => `${folder}${name}`),
  )
  return new RegExp(`/src/(${paths.join('|')})\\.ts$`)
}

/** What running any bundle takes: the engine, the ops of src/ops/core.ts, and what those and others share. */
const ENGINE = files({
  '': 'convert errors load version',
  'checksum/': 'xxh32',
  'engine/': `
    binary bindings checksum concat denormals dense engine inputs kernels linear memory model place pooling reductions
    residents runner similarity table tiles variants
  `,
  'graph/': 'attrs constants evaluate graph index model op resources similarity',
  'ops/': `
    activations axis bins broadcast cast comparison core elementwise fused gather hashing index integers layout math pooling
    reduce select shape slices tables wordids
  `,
  'ops/hash/': 'farmhash words',
  'ops/tables/': 'static',
  'ops/text/': 'spaces',
  'platform/': 'builtin folder hex http open',
  'tensor/': 'bytes denormals dtype half index int64 keyindex panels strings tensor',
  'weights/': 'format reader',
})

/** Text that is not taken to ids by one op: these come together, whichever a model asks for first. */
const TEXT = /\/src\/ops\/(strings|regexes|padding|ragged\/(totensor|splits)|text\/(bytes|byteclass|rewrite))\.ts/

/** What the importer shares with what a bundle may ask for: few lines, which must not bring the importer along. */
const COMMON = /\/src\/(tensor\/(panelsint8|datatypes)|graph\/rewrite|ops\/(protobuf|scann\/distances))\.ts/
const FAMILIES = /\/src\/ops\/families\.ts/

/**
 * The code with what is not ASCII escaped: it stands in strings and patterns only. One sign of another kind, and V8 keeps two
 * bytes for each of the file's, which fills the young part of its heap the sooner: cleaning that takes 1 ms of a start and more, two or three times.
 */
const ascii = (code) => code.replace(/[^\0-\x7f]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)

const bundle = await rolldown({
  // The package exports index and the command, which starts its workers; the others are for this repository's own tools.
  input: {
    index: 'src/index.ts',
    'cli/main': 'src/cli/main.ts',
    'cli/convertworker': 'src/cli/convertworker.ts',
    'cli/embedworker': 'src/cli/embedworker.ts',
    'graph/index': 'src/graph/index.ts',
    'lower/index': 'src/lower/index.ts',
    'ops/all': 'src/ops/all.ts',
    'preprocess/index': 'src/preprocess/index.ts',
    'search/index': 'src/search/index.ts',
    'search/searchworker': 'src/search/searchworker.ts',
    'serve/index': 'src/serve/index.ts',
  },
  platform: 'neutral',
  // Whatever is not ours is the user's to install and to update.
  external: (id) => !/^[./]|\/src\//.test(id),
})
const { output } = await bundle.write({
  dir: 'dist',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name].js',
  // What a start has to read is what says something to a machine; names and lines stay, for who follows a stack.
  comments: { legal: true, annotation: true, jsdoc: false },
  codeSplitting: {
    groups: [
      {
        name: 'engine',
        test: ENGINE,
        priority: 1,
      },
      { name: 'text', test: TEXT, priority: 1 },
      { name: 'common', test: COMMON, priority: 1 },
      { name: 'families', test: FAMILIES, priority: 1 },
      { name: 'importer', test: /\/src\/(define|savedmodel|import|towers|lower)/, priority: 1 },
    ],
  },
})
for (const { type, fileName, code } of output) if (type === 'chunk') writeFileSync(`dist/${fileName}`, ascii(code))
chmodSync('dist/cli/main.js', 0o755)

// The playground: a page and its worker with all that they need, as they are served. A visitor downloads the importer for a
// SavedModel only, and rarer ops where a model has them.
const playground = await rolldown({
  input: { page: 'src/playground/page/page.ts', worker: 'src/playground/worker/worker.ts' },
  platform: 'browser',
  external: /^node:/,
})
await playground.write({
  dir: 'dist/playground',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name].js',
  cleanDir: true,
  minify: true,
  codeSplitting: {
    groups: [
      // What follows an instance through a graph shares this with the importer.
      { name: 'worker', test: /\/src\/towers\/dependence/, priority: 2 },
      { name: 'engine', test: ENGINE, priority: 1 },
      { name: 'text', test: TEXT, priority: 1 },
      { name: 'common', test: COMMON, priority: 1 },
      { name: 'families', test: FAMILIES, priority: 1 },
      { name: 'importer', test: /\/src\/(define|savedmodel|import|towers|lower)/, priority: 1 },
    ],
  },
})
for (const name of ['index.html', 'style.css', 'icon.svg'])
  copyFileSync(`src/playground/${name}`, `dist/playground/${name}`)
writeFileSync('dist/playground/models.json', '{"models": [], "tfjs": false}\n')

// The importer's types name it; tsc leaves a .d.ts where it is.
mkdirSync('dist/savedmodel/proto', { recursive: true })
copyFileSync('src/savedmodel/proto/generated.d.ts', 'dist/savedmodel/proto/generated.d.ts')
