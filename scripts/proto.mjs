// Compiles src/savedmodel/proto/tensorflow.proto into static code (no eval at run time) with its types.
import { execFileSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'

const source = 'src/savedmodel/proto/tensorflow.proto'
const outputs = ['src/savedmodel/proto/generated.js', 'src/savedmodel/proto/generated.d.ts']
const fresh = (file) => existsSync(file) && statSync(file).mtimeMs > statSync(source).mtimeMs

if (!outputs.every(fresh)) {
  execFileSync(
    process.execPath,
    [
      'node_modules/protobufjs-cli/bin/pbjs',
      ...['-t', 'static-module', '-w', 'esm', '--dts', '--force-long', '--no-encode', '--no-create', '--no-verify'],
      ...['--no-delimited', '--no-convert', '--no-service', '--no-typeurl', '-o', outputs[0], source],
    ],
    { stdio: 'inherit' },
  )
}
