// Puts what tsc does not copy into dist: the generated protobuf code, and the right to run the command.
import { chmodSync, copyFileSync, mkdirSync } from 'node:fs'

mkdirSync('dist/savedmodel/proto', { recursive: true })
copyFileSync('src/savedmodel/proto/generated.js', 'dist/savedmodel/proto/generated.js')
chmodSync('dist/cli/main.js', 0o755)
