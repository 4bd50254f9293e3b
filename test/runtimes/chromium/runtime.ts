import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundleModules } from '../bundle.ts'
import type { Report, Runtime } from '../runtime.ts'
import { chromium, onPage } from './start.ts'

const HTML = '<!doctype html><title>cases</title><script type="module" src="/pages/page.js"></script>'

const browser = (name: string, where: 'runOnPage' | 'runInWorker'): Runtime => ({
  name,
  binary: chromium,
  async run({ folder, address }) {
    await bundleModules(
      ['page', 'worker'].map((name) => join(folder, `chromium/${name}.mjs`)),
      join(folder, 'pages'),
    )
    writeFileSync(join(folder, 'page.html'), HTML)
    return onPage(`${address}/page.html`, (page) => page.evaluate(`${where}()`) as Promise<Report>)
  },
})

/** Chromium without a window: a page, and a worker of the page. */
export const browsers: readonly Runtime[] = [browser('Chromium', 'runOnPage'), browser('a web worker', 'runInWorker')]
