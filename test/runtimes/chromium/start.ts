import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium as driver, type Page } from 'playwright-core'

/** The machine's browser, or null; `CHROMIUM` names another. */
export const chromium: string | null =
  process.env.CHROMIUM ??
  (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
    .find((file) => existsSync(file)) ??
  null

/** What `work` makes of the page at `address`. @throws {Error} with what the page reported, where it failed */
export async function onPage<T>(address: string, work: (page: Page) => Promise<T>): Promise<T> {
  // As root, which containers are, Chromium starts without its sandbox only.
  const browser = await driver.launch({ executablePath: chromium ?? 'chromium', args: ['--no-sandbox'] })
  const said: string[] = []
  try {
    const page = await browser.newPage()
    page.setDefaultTimeout(60_000)
    page.on('pageerror', (error) => said.push(String(error)))
    page.on('console', (message) => message.type() === 'error' && said.push(message.text()))
    await page.goto(address)
    return await work(page)
  } catch (error) {
    throw new Error(`${address}: ${(error as Error).message}\n${said.join('\n')}`, { cause: error })
  } finally {
    await browser.close()
  }
}
