import { join } from 'node:path'
import { bundleWorker } from '../bundle.ts'
import { installed, type Report, type Runtime } from '../runtime.ts'
import { startWorkerd } from './start.ts'

/** Cloudflare's runtime, without its flags for Node. */
export const workerd: Runtime = {
  name: 'workerd',
  binary: installed('@cloudflare/workerd-linux-64/bin/workerd'),
  async run({ folder, address }) {
    const out = join(folder, 'workerd/out')
    await bundleWorker(join(folder, 'workerd/worker.mjs'), out)
    const worker = await startWorkerd(out, { bindings: { DATA: address } })
    try {
      return (await (await fetch(worker.address)).json()) as Report
    } finally {
      await worker.stop()
    }
  },
}
