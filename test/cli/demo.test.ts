import { describe, expect, test } from 'vitest'
import { demoRanking, demoRows, run } from './command.ts'

describe('demo', () => {
  test("shows each viewer the first five of TensorFlow's ranking, and ends with 0", async () => {
    const { status, stdout, stderr } = await run(['demo'])
    expect(stderr).toBe('')
    expect(status).toBe(0)
    const films = new Map(demoRows('films.jsonl').map(({ id, title, year }) => [id, `${title} (${year})`]))
    const viewers = demoRows('viewers.jsonl')
    demoRanking().forEach(({ viewer, top }, i) => {
      const shown = top.slice(0, 5).map(({ id, score }) => `  ${score.toFixed(3)}  ${films.get(id)}\n`)
      expect(stdout).toContain(`${viewer}: ${viewers[i].description}   [10 of TensorFlow's 10]\n${shown.join('')}`)
    })
    const differences = [...stdout.matchAll(/^(?:TensorFlow|tfjs-wasm) .*: (\d\.\de-\d+)$/gm)].map(([, text]) => text)
    expect(differences).toHaveLength(2)
    for (const text of differences) expect(Number(text)).toBeLessThan(1e-5)
  })
})
