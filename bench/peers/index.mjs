import { ortNode, ortWeb } from './onnxruntime.mjs'
import { tfjsCpu, tfjsWasm } from './tfjs.mjs'
import { int8, twotower } from './twotower.mjs'

/** In the order of the tables. */
const PEERS = [twotower, int8, tfjsWasm, tfjsCpu, ortWeb, ortNode]

/** One of them. @throws where it does not run here */
export async function startPeer(wanted) {
  const { name, start } = PEERS.find(({ name }) => name === wanted)
  return { name, ...(await start()) }
}

/** The peers that run here; of the others, why not. */
export async function startPeers() {
  const running = []
  const skipped = {}
  for (const { name } of PEERS) {
    try {
      running.push(await startPeer(name))
    } catch (error) {
      skipped[name] = error.message.split('\n')[0]
    }
  }
  return { running, skipped }
}
