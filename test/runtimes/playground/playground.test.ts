import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { chromium } from '../chromium/start.ts'
import { installed, output } from '../runtime.ts'
import { drop, launch, open, ranked, serving, violations } from './site.ts'

const app = inject('app')
const demo = join(app.folder, 'weights/demo')
const fixture = (name: string): string => join(app.folder, 'test/fixtures/models', name)
const axe = installed('axe-core/axe.min.js')

interface Ranking {
  readonly viewers: readonly {
    readonly viewer: string
    readonly top: readonly { readonly id: string; readonly score: number }[]
  }[]
}
const rows = (file: string): Record<string, unknown>[] =>
  readFileSync(join(demo, file), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

const titles = new Map(rows('films.jsonl').map(({ id, title, year }) => [id, `${title} (${year})`]))
/** What TensorFlow ranks best for each viewer, by the names that people see. */
const BEST = new Map(
  (JSON.parse(readFileSync(join(demo, 'goldens/ranking.json'), 'utf8')) as Ranking).viewers.map(({ viewer, top }) => [
    viewer,
    top.map(({ id }) => titles.get(id)),
  ]),
)

const ALL = process.env.RUNTIMES === 'all'

describe.skipIf(chromium === null && !ALL)('the playground in Chromium', () => {
  let browser: Browser
  let server: Awaited<ReturnType<typeof serving>>
  const site = `${app.address}/site/index.html`

  beforeAll(async () => {
    const main = join(app.folder, 'node_modules/twotower/dist/cli/main.js')
    const args = ['--items', join(demo, 'films.jsonl'), '--examples', join(demo, 'viewers.jsonl')]
    ;[browser, server] = await Promise.all([launch(), serving(app.folder, ['movies', ...args, '--playground'])])
    await output(process.execPath, [main, 'playground', '-o', 'site', '--tfjs'], app.folder)
  })
  afterAll(async () => {
    await browser?.close()
    await server?.end()
  })

  const ready = (page: Page) => page.locator('.hits li').nth(19).waitFor()

  test('ranks the served items as TensorFlow does, for each example', async () => {
    const { page, problems } = await open(browser, server.address)
    await ready(page)
    expect((await ranked(page)).slice(0, 10)).toEqual(BEST.get('mara'))
    const select = page.getByLabel('Begin with')
    for (const [i, viewer] of [...BEST.keys()].entries()) {
      await select.selectOption({ index: i })
      await expect.poll(async () => (await ranked(page)).slice(0, 10)).toEqual(BEST.get(viewer))
    }
    expect(problems).toEqual([])
    await page.context().close()
  })

  test('follows a feature as it is typed: token, id, what is out of vocabulary, and the ranks that change', async () => {
    const { page } = await open(browser, server.address)
    await ready(page)
    const before = await ranked(page)
    await page.getByRole('combobox', { name: 'favourite_genre' }).first().fill('Romantic Comedy')
    await expect.poll(() => ranked(page)).not.toEqual(before)
    // The ninth of the vocabulary's words; 0 is for the others.
    const token = page.locator('.query-panel [data-feature=favourite_genre] .token')
    await expect.poll(() => token.textContent()).toBe('Romantic Comedy9')
    const moved = page.locator('.hits .moved')
    await expect
      .poll(() => moved.allTextContents())
      .toEqual(expect.arrayContaining([expect.stringMatching(/^(new|[↑↓]\d+)$/)]))
    await page.getByRole('textbox', { name: 'recent_titles' }).fill('The Zyxwv')
    const tokens = page.locator('.query-panel [data-feature=recent_titles] .token')
    await expect.poll(() => tokens.allTextContents()).toEqual(['the2', 'zyxwvout of vocabulary'])
    await page.context().close()
  })

  test('moves a slider, and says of the pair what each feature adds', async () => {
    const { page } = await open(browser, server.address)
    await ready(page)
    const before = await ranked(page)
    await page.getByRole('slider', { name: 'birth_year' }).fill('1935')
    await expect.poll(() => ranked(page)).not.toEqual(before)
    await page.locator('.hits .hit').nth(4).click()
    const fifth = (await ranked(page))[4]
    await expect.poll(() => page.locator('.pair-title').textContent()).toBe(fifth)
    const title = page.locator('.candidate-panel [data-feature=title] textarea')
    await expect.poll(async () => fifth.includes(await title.inputValue())).toBe(true)
    await expect
      .poll(() => page.locator('.pair-score strong').textContent())
      .toBe(await page.locator('.hits .score').nth(4).textContent())
    await expect.poll(() => page.locator('.influences li').count()).toBeGreaterThan(4)
    await page.context().close()
  })

  test('is used by the keyboard alone', async () => {
    const { page } = await open(browser, server.address)
    await ready(page)
    const before = await ranked(page)
    // By Tab from the top to the field, through everything that lies before it.
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-labelledby') ?? '')
    const label = await page.locator('.query-panel [data-feature=favourite_genre] .name').getAttribute('id')
    for (let i = 0; i < 20 && (await focused()) !== label; i++) await page.keyboard.press('Tab')
    expect(await focused()).toBe(label)
    await page.keyboard.press('Control+A')
    // All letters at once: what is suggested for the first is suggested anew for all of them, and nothing is chosen then.
    await page.keyboard.insertText('mus')
    const options = page.locator('.query-panel [role=option]')
    await expect.poll(() => options.allTextContents()).toEqual(['Musical'])
    await page.keyboard.press('ArrowDown')
    expect(await options.first().getAttribute('aria-selected')).toBe('true')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.evaluate(() => (document.activeElement as HTMLInputElement).value)).toBe('Musical')
    await expect.poll(() => ranked(page)).not.toEqual(before)
    // A screen reader is told once typing rests.
    const saysTheBest = async () => (await page.locator('#spoken').textContent())?.includes((await ranked(page))[0])
    await expect.poll(saysTheBest).toBe(true)
    // The item that is found is ranked, wherever it stands.
    await page.getByRole('combobox', { name: 'Find an item and its rank' }).focus()
    await page.keyboard.insertText('the apartm')
    await expect.poll(() => page.locator('.finder [role=option]').allTextContents()).toEqual(['The Apartment (1959)'])
    // The worker, which answers one after the other, has ended measuring: by a clock that stands it never would.
    await page.clock.install()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    const found = /^The Apartment \(1959\): rank \d+, score/
    await expect.poll(() => page.locator('#spoken').textContent()).toMatch(found)
    // And nothing is told over it once all rests.
    await page.clock.runFor(2000)
    expect(await page.locator('#spoken').textContent()).toMatch(found)
    await page.context().close()
  })

  test('says of a slider what its number is, of which the track has only the nearest step', async () => {
    const { page } = await open(browser, server.address)
    await ready(page)
    const year = page.locator('.candidate-panel [data-feature=year]')
    const number = page.locator('.candidate-panel').getByRole('spinbutton', { name: 'year' })
    await expect.poll(() => number.inputValue()).toMatch(/^[12]\d{3}$/)
    expect(await year.locator('[type=range]').getAttribute('aria-valuetext')).toBe(await number.inputValue())
    await number.fill('1933')
    expect(await year.locator('[type=range]').getAttribute('aria-valuetext')).toBe('1933')
    await page.context().close()
  })

  test('opens what is dropped in turn, and says what is open once the last has failed', async () => {
    const { page, problems } = await open(browser, `${server.address}?model=none`)
    await page.locator('.offer').waitFor()
    await page.evaluate(() => {
      document.querySelector<HTMLElement>('.offer')?.click()
      const dataTransfer = new DataTransfer()
      dataTransfer.items.add(new File(['no model'], 'notes.txt'))
      dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true }))
    })
    await ready(page)
    await expect.poll(() => page.locator('.notice').textContent()).toContain('there came notes.txt')
    expect(await page.locator('#opened').textContent()).toMatch(/^movies/)
    expect(await page.locator('.spinner').count()).toBe(0)
    // Another may be chosen from there by the keyboard, and what went wrong before is told no more.
    await page.getByRole('button', { name: 'Open another model' }).press('Enter')
    await page.locator('.opening').waitFor()
    expect(await page.locator('.notice').count()).toBe(0)
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('main')
    expect(problems.filter((problem) => !problem.includes('404'))).toEqual([])
    await page.context().close()
  })

  test('takes from its address what is one, and says what is none', async () => {
    const { page, problems } = await open(browser, `${server.address}?model=http://[`)
    await expect.poll(() => page.locator('.notice').textContent()).toContain('wants the address of a model')
    await page.locator('.opening').waitFor()
    expect(problems).toEqual([])
    await page.goto(`${server.address}?model=movies&items=nothing.jsonl`)
    await expect.poll(() => page.locator('.remarks').textContent()).toContain('nothing.jsonl cannot be fetched')
    await page.context().close()
  })

  test('asks its own server for its own files and nobody for anything else', async () => {
    const { page, asked, problems } = await open(browser, server.address)
    await ready(page)
    const { origin } = new URL(server.address)
    expect(asked.length).toBeGreaterThan(5)
    expect(asked.filter((url) => url.origin !== origin || !url.pathname.startsWith('/playground/'))).toEqual([])
    const response = await page.request.get(server.address)
    expect(response.headers()['content-security-policy']).toContain("default-src 'self'")
    // The policy holds a script to it that would ask elsewhere.
    const refused = await page.evaluate(() => fetch('https://example.com/').then(String, () => 'refused'))
    expect(refused).toBe('refused')
    await expect.poll(() => problems.join()).toContain('Content Security Policy')
    await page.context().close()
  })

  test('gives no file but the page and the models', async () => {
    const status = async (path: string) => (await fetch(new URL(path, server.address))).status
    expect(await status('models/movies/manifest.json')).toBe(200)
    for (const path of [
      'models/movies/..%2f..%2fpackage.json',
      'models/other/manifest.json',
      '%2fetc%2fpasswd',
      'main.js',
      '%E0%A4%A',
    ])
      expect(await status(path), path).toBe(404)
  })

  test('goes with no token', async () => {
    writeFileSync(join(app.folder, 'token'), 'secret')
    await expect(serving(app.folder, ['movies', '--playground', '--token-file', 'token'])).rejects.toThrow(
      'it does not go with a token',
    )
  })

  describe('without a model', () => {
    test('takes a SavedModel that is dropped, and ranks the candidates that it holds as TensorFlow does', async () => {
      const { page, problems } = await open(browser, `${site}?model=none`)
      await drop(page, [fixture('tfrs_bruteforce')])
      await ready(page)
      const [golden] = (
        JSON.parse(readFileSync(join(app.folder, 'test/fixtures/goldens/tfrs_bruteforce.json'), 'utf8')) as {
          readonly cases: readonly { readonly outputs: { readonly output_2: { readonly data: readonly string[] } } }[]
        }
      ).cases
      await page.locator('.query-panel').getByRole('combobox', { name: 'input_1' }).fill('1')
      await expect.poll(async () => (await ranked(page)).slice(0, 10)).toEqual(golden.outputs.output_2.data)
      expect(problems.filter((problem) => !problem.includes('404'))).toEqual([])
      await page.context().close()
    })

    test('takes what is dropped just as what lies under the pointer is exchanged', async () => {
      const { page } = await open(browser, `${site}?model=none`)
      const exchange = () =>
        page.evaluate(() => {
          const over = document.createElement('div')
          over.style.cssText = 'position: fixed; inset: 0'
          document.body.append(over)
        })
      await drop(page, [fixture('tfrs_bruteforce')], exchange)
      await ready(page)
      await page.context().close()
    })

    test('takes a folder of both towers, with its items and examples beside', async () => {
      const { page } = await open(browser, `${site}?model=none`)
      await page.getByLabel('A folder').setInputFiles(demo)
      await ready(page)
      expect((await ranked(page)).slice(0, 10)).toEqual(BEST.get('mara'))
      expect(await page.locator('#opened').textContent()).toContain('pair of SavedModels')
      await page.context().close()
    })

    test('asks how embeddings are compared where the export does not say it, and takes items that are dropped', async () => {
      const { page } = await open(browser, `${site}?model=none`)
      await drop(page, [fixture('bare_towers')])
      await page.getByRole('button', { name: 'cosine' }).click()
      const invite = page.locator('.invite')
      await expect.poll(() => invite.textContent()).toContain('items.jsonl')
      await page.context().close()
    })

    test('runs a signature of a model that has no towers', async () => {
      const { page } = await open(browser, `${site}?model=none`)
      await drop(page, [fixture('text_vectorization')])
      await page.locator('.outputs dl').first().waitFor()
      expect(await page.locator('.problem').allTextContents()).toEqual([''])
      await page.context().close()
    })

    test('says in words what is wrong, and stays usable', async () => {
      const { page } = await open(browser, `${site}?model=none`)
      const notice = page.locator('.notice')
      await expect.poll(() => notice.textContent()).toContain('none')
      const folder = join(app.folder, 'wrong')
      mkdirSync(join(folder, 'many'), { recursive: true })
      writeFileSync(join(folder, 'notes.txt'), 'no model')
      for (let i = 0; i < 4002; i++) writeFileSync(join(folder, 'many', String(i)), '')
      mkdirSync(join(folder, 'broken'))
      writeFileSync(join(folder, 'broken/manifest.json'), '{"format": "other"}')
      writeFileSync(join(folder, 'broken/weights.bin'), '')
      mkdirSync(join(folder, 'cut'))
      writeFileSync(
        join(folder, 'cut/saved_model.pb'),
        readFileSync(join(fixture('tfrs_bruteforce'), 'saved_model.pb')).subarray(0, 4000),
      )
      const wrongs: readonly (readonly [string, RegExp])[] = [
        ['notes.txt', /this is no model: a SavedModel's folder holds saved_model\.pb.*there came notes\.txt/],
        ['many', /holds more than 4000 files/],
        ['broken', /manifest\.json: is not the manifest of a bundle/],
        ['cut', /saved_model\.pb/],
      ]
      for (const [name, words] of wrongs) {
        await drop(page, [join(folder, name)])
        await expect.poll(() => notice.textContent()).toMatch(words)
      }
      await page.getByRole('button', { name: 'Put away' }).click()
      // An op that there is not.
      const unknown = join(folder, 'unknown')
      cpSync(fixture('text_vectorization'), unknown, { recursive: true })
      const graph = readFileSync(join(unknown, 'saved_model.pb'), 'latin1')
      writeFileSync(join(unknown, 'saved_model.pb'), graph.replaceAll('StringLower', 'StringLowex'), 'latin1')
      await drop(page, [unknown])
      await expect
        .poll(() => page.locator('.problem, .notice').allTextContents())
        .toEqual([expect.stringMatching(/op StringLowex .* is not supported/)])
      await drop(page, [fixture('tfrs_bruteforce')])
      await ready(page)
      expect(await notice.count()).toBe(0)
      // What a dropped file of rows lacks is said, and the model goes on.
      writeFileSync(join(folder, 'other.jsonl'), '{"colour": "red"}\n')
      await drop(page, [join(folder, 'other.jsonl')])
      await expect.poll(() => page.locator('.remarks').textContent()).toContain('other.jsonl is left out')
      await page.context().close()
    })
  })

  test('measures the request, and tfjs-wasm beside it where the site has it', async () => {
    const { page, asked, problems } = await open(browser, site)
    await ready(page)
    await expect.poll(() => page.locator('.timings').textContent()).toMatch(/embedding\d.*items\d/)
    expect(asked.some(({ pathname }) => pathname.includes('/tfjs/'))).toBe(false)
    await page.getByRole('button', { name: 'Measure beside tfjs-wasm' }).click()
    await expect.poll(() => page.locator('.verdict').textContent()).toMatch(/times as fast as/)
    expect(problems).toEqual([])
    await page.context().close()
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`has nothing that axe-core finds wrong, ${colorScheme}`, async () => {
      if (axe === null) throw new Error('axe-core is not installed')
      const { page } = await open(browser, `${site}?model=none`, { colorScheme })
      await page.locator('.opening').waitFor()
      expect(await violations(page, axe)).toEqual([])
      await page.goto(site)
      await ready(page)
      await expect.poll(() => page.locator('.influences li').count()).toBeGreaterThan(0)
      for (const summary of await page.locator('summary').all()) await summary.click()
      await page.locator('.finder input').click()
      await page.locator('.finder [role=option]').first().waitFor()
      expect(await violations(page, axe)).toEqual([])
      await page.context().close()
    })
  }

  test('fits a phone without a horizontal scroll, with long names too', async () => {
    const { page } = await open(browser, site, {
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
    })
    await ready(page)
    const room = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    for (const summary of await page.locator('summary').all()) await summary.click()
    expect(await room()).toBe(0)
    await page.getByRole('link', { name: 'To the ranking' }).click()
    await page.goto(`${site}?model=../test/fixtures/models/odd_names`)
    await expect.poll(() => page.locator('#opened').textContent()).toContain('odd_names')
    expect(await room()).toBe(0)
    await page.context().close()
  })

  test('names an item of the map where the pointer is, and makes it the candidate by a click', async () => {
    const { page } = await open(browser, site)
    await ready(page)
    // What comes later would move the map.
    await expect.poll(() => page.locator('.influences li').count()).toBeGreaterThan(0)
    await expect.poll(() => page.locator('.timings').textContent()).toMatch(/items\d/)
    const canvas = page.locator('.map canvas')
    const tip = page.locator('.tip')
    // Among 3,200 items one lies near the middle.
    await canvas.hover()
    await tip.waitFor()
    const named = (await tip.textContent())?.replace(/ · rank \d+$/, '') ?? ''
    expect([...titles.values()]).toContain(named)
    await canvas.click()
    await expect.poll(() => page.locator('.pair-title').textContent()).toBe(named)
    await page.context().close()
  })
})
