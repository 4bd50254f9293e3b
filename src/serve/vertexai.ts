import type { Json } from '../json/parse.ts'
import { jsonText } from '../json/text.ts'
import { jsonOf } from './body.ts'
import type { Models } from './models.ts'
import { readPredict, writeRows } from './predict.ts'
import { Refusal } from './refusal.ts'
import { firstOf } from './towers.ts'
import type { Turn } from './turn.ts'
import { isMembers } from './values.ts'
import { openInstance } from './vertex.ts'

/**
 * Vertex AI's prediction request to a container: `{"instances": […], "parameters": {…}}` in, `{"predictions": […]}` out, one
 * an instance. `parameters.signature_name` chooses a signature. An instance of Vertex's two-tower models,
 * `{"data": "{…}", "key": "k"}`, is answered `{"key": "k", "encoding": […]}`, any other as TensorFlow Serving would.
 *
 * @throws {Refusal} and whatever the model throws
 */
export async function answerVertex(models: Models, turn: Turn): Promise<string> {
  const body = jsonOf(await turn.bytes())
  if (!isMembers(body) || !Array.isArray(body.instances))
    throw new Refusal(400, 'the request must be {"instances": […]}, with "parameters" or without')
  const { instances } = body
  // Vertex AI's own client sends null for what nobody gave.
  const parameters = body.parameters ?? {}
  if (!isMembers(parameters)) throw new Refusal(400, '"parameters" must be a JSON object')
  const { signature_name: signature } = parameters
  const version = models.find(firstOf(models))
  const request = readPredict(
    { instances, ...(signature === undefined ? {} : { signature_name: signature }) },
    version.model,
  )
  const names = version.model.rawInputs(request.signature).map((port) => port.name)
  const opened = instances.map((instance: Json) => {
    if (!isMembers(instance)) return null
    const { features, key } = openInstance(instance, names)
    return features === instance ? null : key === undefined ? '' : `"key": ${jsonText(key)}, `
  })
  turn.decoded()
  return turn.run(version.signature(request.signature as string), request.inputs, (outputs) => {
    const rows = writeRows(outputs)
    const single = Object.keys(outputs).length === 1
    const predictions = rows.map((row, i) => {
      const key = opened[i]
      if (key === null || key === undefined) return row
      return single ? `{${key}"encoding": ${row}}` : `{${key}${row.slice(1)}`
    })
    return `{"predictions": [${predictions.join(', ')}]}`
  })
}
