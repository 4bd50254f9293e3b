// Bundles src/ into dist/: what is loaded together lies together, because a runtime opens and links a file slower than it
// compiles one. What only the importer or a rarer op needs stays in chunks of its own, loaded on demand.
import { chmodSync } from 'node:fs'
import { rolldown } from 'rolldown'

/** What src/ops/common.ts reaches; the rest of the ops comes family by family. */
const COMMON =
  /\/src\/ops\/(activations|arrange|axis|bins|broadcast|common|elementwise|fused|gather|hashing|integers|layout|linear|einsum|math|nn|pooling|ragged|reduce|select|shape|slices|softmax|state|strings|tables|tables\/\w+|hash\/\w+|ragged\/\w+|sparse\/\w+|text\/bytes)\.ts$/

const bundle = await rolldown({
  // The package exports index and the command; the others are for this repository's own tools.
  input: {
    index: 'src/index.ts',
    'cli/main': 'src/cli/main.ts',
    'graph/index': 'src/graph/index.ts',
    'lower/index': 'src/lower/index.ts',
    'ops/index': 'src/ops/index.ts',
    'preprocess/index': 'src/preprocess/index.ts',
    'search/index': 'src/search/index.ts',
  },
  platform: 'neutral',
  // Whatever is not ours is the user's to install and to update.
  external: (id) => !/^[./]|\/src\//.test(id),
})
await bundle.write({
  dir: 'dist',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name].js',
  codeSplitting: {
    groups: [
      {
        name: 'engine',
        test: /\/src\/(engine\/(?!wasm)|graph|tensor|weights\/(format|reader)|errors|checksum|ops\/(families|index)|load|platform\/(folder|open))/,
        priority: 1,
      },
      { name: 'common', test: COMMON, priority: 1 },
      { name: 'importer', test: /\/src\/(define|savedmodel|import|towers|lower)/, priority: 1 },
    ],
  },
})
chmodSync('dist/cli/main.js', 0o755)
