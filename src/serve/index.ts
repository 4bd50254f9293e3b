/// <reference path="../globals.ts" preserve="true" />
import type { Model } from '../engine/model.ts'
import type { AppOptions } from './answers.ts'
import { createApp } from './app.ts'
import { Models, ServedModel, Version } from './models.ts'
import { NO_OBSERVER } from './observer.ts'

export type { AppOptions } from './answers.ts'
export type { Contract, Observer } from './observer.ts'

export interface ServeOptions extends AppOptions {
  /** Rows of several requests that are run together at most (default 64); 1 runs each alone and at once, as Workers need it. */
  readonly maxBatch?: number
  /** Milliseconds that a request may wait for others to run with (default 0). */
  readonly maxWait?: number
}

/** What Deno, Bun and Workers serve: `export default serve(model)`. */
export interface Handler {
  fetch(request: Request): Promise<Response>
}

/**
 * Models over HTTP, as docs/serve.md says: TensorFlow Serving's REST API, Vertex AI's contract and the two towers.
 * @param models by the names that paths have, or one, which is called `model`; each is its version 1
 * @throws {RangeError} where there is none
 */
export function serve(models: Model | Readonly<Record<string, Model>>, options: ServeOptions = {}): Handler {
  const { maxBatch = 64, maxWait = 0, ...app } = options
  const byName = isModel(models) ? { model: models } : models
  if (Object.keys(byName).length === 0) throw new RangeError('there is no model to serve')
  const served = Object.entries(byName).map(([name, model]) => {
    const one = new ServedModel(name)
    one.serve(new Version(1n, model, { maxRows: maxBatch, maxWait }, options.observer ?? NO_OBSERVER))
    return one
  })
  const handler = createApp(new Models(served), app)
  return { fetch: async (request) => handler.fetch(request) }
}

/** A model has methods, a list of models by name has none: the class itself may come from another copy of the package. */
const isModel = (models: Model | Readonly<Record<string, Model>>): models is Model =>
  typeof models.evaluate === 'function'
