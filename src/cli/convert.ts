import { convert as convertModel } from '../convert.ts'
import { tagsOf } from './stdio.ts'

export interface ConvertOptions {
  readonly output: string
  readonly tags?: string
}

/** Converts a SavedModel to a bundle and says what became of it. */
export async function convert(path: string, options: ConvertOptions): Promise<void> {
  const bundle = await convertModel(path, tagsOf(options))
  await bundle.save(options.output)
  const { signatures } = bundle.definition
  process.stderr.write(
    `${options.output}: ${signatures.length} signatures, ${bundle.weights.length} bytes of weights\n`,
  )
}
