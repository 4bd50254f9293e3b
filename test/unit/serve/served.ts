import { fileURLToPath } from 'node:url'
import type { Hono } from 'hono'
import type { Model } from '../../../src/engine/model.ts'
import { load } from '../../../src/load.ts'
import type { AppOptions } from '../../../src/serve/answers.ts'
import { createApp } from '../../../src/serve/app.ts'
import { Models, ServedModel, Version } from '../../../src/serve/models.ts'
import { NO_OBSERVER } from '../../../src/serve/observer.ts'

export const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../fixtures/models/${name}`, import.meta.url))

export const loaded = (name: string): Promise<Model> => load(fixture(name))

/** An app over models of the fixtures by the names that they are served under. */
export async function serving(models: Readonly<Record<string, string>>, options: AppOptions = {}): Promise<Hono> {
  const all = await Promise.all(
    Object.entries(models).map(async ([name, folder]) => {
      const served = new ServedModel(name)
      served.serve(new Version(1n, await loaded(folder), { maxRows: 64, maxWait: 0 }, NO_OBSERVER))
      return served
    }),
  )
  return createApp(new Models(all), options)
}

/** What was answered: the status with the body's JSON. */
export interface Answer {
  readonly status: number
  readonly body: Record<string, never>
  readonly text: string
}

export async function answered(response: Response | Promise<Response>): Promise<Answer> {
  const { status, text } = await Promise.resolve(response).then(async (r) => ({
    status: r.status,
    text: await r.text(),
  }))
  return { status, text, body: JSON.parse(text) }
}

export const post = (app: Hono, path: string, body: unknown): Promise<Answer> =>
  answered(app.request(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }))

export const get = (app: Hono, path: string): Promise<Answer> => answered(app.request(path))
