import { parseJson } from '../json/parse.ts'
import { load } from '../load.ts'
import { readPredict, writePredict } from '../serve/predict.ts'
import { EXIT } from './exit.ts'
import { type LoadingOptions, loadOptions } from './loading.ts'
import { readLines, write } from './stdio.ts'

export interface RunOptions extends LoadingOptions {
  readonly signature?: string
}

/** Answers each line of standard input on standard output, in order; a bad line is answered with an error. */
export async function run(path: string, options: RunOptions): Promise<void> {
  const model = await load(path, loadOptions(options))
  if (options.signature !== undefined) model.signature(options.signature)
  for await (const { text } of readLines([])) {
    let answer: string
    try {
      const body = parseJson(text())
      const request = readPredict(body, model, options.signature)
      answer = writePredict(model.evaluate(request.signature, request.inputs), request.layout)
    } catch (error) {
      process.exitCode = EXIT.failed
      answer = JSON.stringify({ error: error instanceof Error ? error.message : String(error) })
    }
    await write(process.stdout, `${answer}\n`)
  }
}
