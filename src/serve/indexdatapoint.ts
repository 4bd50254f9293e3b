import { float32Text, float64Text } from '../json/text.ts'
import type { Datapoint, NumericRestrict, Restrict } from '../search/datapoint.ts'

/**
 * An IndexDatapoint in protobuf's JSON.
 * @param full with its vector and restricts; without, it has its id and its crowding tag
 */
export function datapointText(datapoint: Datapoint, full: boolean): string {
  const { id, embedding, restricts = [], numericRestricts = [], crowdingTag } = datapoint
  const members = [`"datapointId": ${JSON.stringify(id)}`]
  if (full) {
    members.push(`"featureVector": [${Array.from(embedding, float32Text).join(', ')}]`)
    if (restricts.length > 0) members.push(`"restricts": [${restricts.map(restrictText).join(', ')}]`)
    if (numericRestricts.length > 0)
      members.push(`"numericRestricts": [${numericRestricts.map(numberText).join(', ')}]`)
  }
  if (crowdingTag !== undefined) members.push(`"crowdingTag": {"crowdingAttribute": ${JSON.stringify(crowdingTag)}}`)
  return `{${members.join(', ')}}`
}

const restrictText = ({ namespace, allow = [], deny = [] }: Restrict): string =>
  JSON.stringify({
    namespace,
    ...(allow.length > 0 && { allowList: allow }),
    ...(deny.length > 0 && { denyList: deny }),
  })

function numberText({ namespace, type, value }: NumericRestrict): string {
  const start = `{"namespace": ${JSON.stringify(namespace)}, `
  // protobuf's JSON has an int64 as text, and what is not finite.
  if (type === 'int') return `${start}"valueInt": "${value}"}`
  const text = type === 'float' ? float32Text(value) : float64Text(value)
  return `${start}"${type === 'float' ? 'valueFloat' : 'valueDouble'}": ${Number.isFinite(value) ? text : `"${text}"`}}`
}
