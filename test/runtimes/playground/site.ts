import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium as driver, type Page } from 'playwright-core'
import { chromium } from '../chromium/start.ts'

/** A page with what it did besides: its errors, and where its requests went. */
export interface Opened {
  readonly page: Page
  readonly problems: readonly string[]
  readonly asked: readonly URL[]
}

/** One browser for all pages. */
export const launch = (): Promise<Browser> =>
  driver.launch({ executablePath: chromium ?? 'chromium', args: ['--no-sandbox'] })

/** Opens `address` in a profile of its own. */
export async function open(browser: Browser, address: string, options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    reducedMotion: 'reduce',
    ...options,
  })
  const page = await context.newPage()
  // Other tests have the machine too, and the first page compiles all that the next ones find compiled.
  page.setDefaultTimeout(60_000)
  const [problems, asked]: [string[], URL[]] = [[], []]
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
  context.on('request', (request) => asked.push(new URL(request.url())))
  await page.goto(address)
  return { page, problems, asked }
}

/**
 * Drops files and folders of this machine on the page, as a person does with the mouse.
 * @param held what happens while they are held over the page
 */
export async function drop(page: Page, paths: readonly string[], held = async () => {}): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const data = { items: [], files: [...paths], dragOperationsMask: 1 }
  await page.evaluate(() => {
    const { classList } = document.body
    classList.remove('dropped')
    addEventListener('drop', () => classList.add('dropped'), { once: true })
  })
  const send = (type: 'dragEnter' | 'dragOver' | 'drop') =>
    session.send('Input.dispatchDragEvent', { type, x: 400, y: 300, data })
  await send('dragEnter')
  await send('dragOver')
  await held()
  await send('drop')
  await page.locator('body.dropped').waitFor()
  await session.detach()
}

/** The labels of the ranked items, the best first. */
export const ranked = (page: Page): Promise<string[]> => page.locator('.hits .label').allTextContents()

/** Whatever axe-core finds wrong, in short. */
export async function violations(page: Page, axe: string): Promise<readonly string[]> {
  // The page's policy allows no script of ours: it is run by the driver.
  await page.evaluate(readFileSync(axe, 'utf8'))
  return page.evaluate(async () => {
    interface Found {
      readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[]
    }
    const { axe } = globalThis as unknown as { readonly axe: { run(): Promise<Found> } }
    const { violations } = await axe.run()
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`))
  })
}

/** `twotower serve` of the package that is tested; `end` ends it. */
export async function serving(folder: string, args: readonly string[]) {
  const main = join(folder, 'node_modules/twotower/dist/cli/main.js')
  const child = spawn(process.execPath, [main, 'serve', ...args, '--port', '0', '--grace', '0'], { cwd: folder })
  let [said, errors] = ['', '']
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const address = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const found = /playground at (\S+)\n/.exec(said)
      if (found !== null) resolve(found[1])
    })
    child.on('close', (status) => reject(new Error(`serve ended with ${status}: ${errors}`)))
  })
  return {
    address,
    end: () =>
      new Promise<void>((resolve) => {
        child.on('close', () => resolve())
        child.kill('SIGTERM')
      }),
  }
}
