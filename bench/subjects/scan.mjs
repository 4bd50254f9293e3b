import { compileKernels, ExactIndex } from '../../dist/search/index.js'
import { agree } from '../agree.mjs'
import { interleave } from '../measure.mjs'
import { floats, random } from '../random.mjs'

const WIDTH = 64
const K = 100
const ROWS = [10_000, 100_000, 1_000_000]

/** The hundred best of N × 64 by dot product, one query after the other: ours, and tfjs-wasm's matMul and topk. */
export async function scan(peers, effort, say) {
  const tfjs = peers.find(({ name }) => name === 'tfjs-wasm')
  const results = []
  for (const rows of effort.quick ? ROWS.slice(0, 2) : ROWS) {
    const items = floats(random(rows), rows * WIDTH)
    const query = floats(random(WIDTH), WIDTH)
    const contenders = [ours(items, rows, query, await compileKernels())]
    if (tfjs !== undefined) contenders.push(await theirs(tfjs, items, rows, query))
    await agree(contenders, `the best of ${rows}`)
    const timings = await interleave(contenders, effort)
    for (const { free } of contenders) free?.()
    results.push({ rows, width: WIDTH, k: K, timings })
    say(
      `scan of ${rows} × ${WIDTH}: ${contenders.map(({ name }) => `${name} ${(timings[name].median / 1000).toPrecision(3)} ms`).join(', ')}`,
    )
  }
  return results
}

function ours(items, rows, query, kernels) {
  const ids = Array.from({ length: rows }, (_, i) => String(i))
  const index = new ExactIndex(ids, items, { metric: 'dot', scale: 1, bias: 0, sigmoid: false }, kernels)
  return { name: 'twotower', call: () => index.search(query, K).scores }
}

async function theirs({ tf, enter, name }, items, rows, query) {
  await enter()
  const held = tf.tensor2d(items, [rows, WIDTH])
  return {
    name,
    enter,
    free: () => held.dispose(),
    call() {
      let scores
      tf.tidy(() => {
        const all = tf.reshape(tf.matMul(held, tf.tensor2d(query, [WIDTH, 1])), [rows])
        const best = tf.topk(all, K)
        best.indices.dataSync()
        scores = best.values.dataSync()
      })
      return scores
    },
  }
}
