// Installs the runtimes and bundlers, where they are not there as the lock file has them. Half a minute, once.
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))
const [lock, done] = ['package-lock.json', 'node_modules/.installed'].map((name) => join(folder, name))
if (!existsSync(done) || readFileSync(done, 'utf8') !== readFileSync(lock, 'utf8')) {
  // Their binaries are packages themselves; none needs its script.
  execFileSync('npm', ['ci', '--ignore-scripts', '--prefix', folder], { stdio: 'inherit' })
  copyFileSync(lock, done)
}
