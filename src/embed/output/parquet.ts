import type { SchemaElement } from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import type { OutputFormat } from '../sink.ts'
import { widthOf } from './width.ts'

/** Floats of a row group, 2 MB: the writer holds each as a number of JavaScript, several times. */
const GROUP = 1 << 19

const SCHEMA: SchemaElement[] = [
  { name: 'root', num_children: 2 },
  {
    name: 'id',
    type: 'BYTE_ARRAY',
    repetition_type: 'OPTIONAL',
    converted_type: 'UTF8',
    logical_type: { type: 'STRING' },
  },
  {
    name: 'embedding',
    repetition_type: 'REQUIRED',
    num_children: 1,
    converted_type: 'LIST',
    logical_type: { type: 'LIST' },
  },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', type: 'FLOAT', repetition_type: 'REQUIRED' },
]

/** As a list, which the writer wants; Array.from takes ten times as long. */
function listOf(vector: Float32Array): number[] {
  const list = new Array<number>(vector.length)
  for (let i = 0; i < list.length; i++) list[i] = vector[i]
  return list
}

/** Parquet of two columns: `id`, a string, and `embedding`, a list of float. It cannot be gone on with in the middle. */
export const PARQUET: OutputFormat = {
  paths: (path) => [path],
  sink([file]) {
    const bytes = new ByteWriter()
    const parquet = new ParquetWriter({ writer: bytes, schema: SCHEMA, statistics: false, createdBy: 'twotower' })
    let [ids, vectors, floats] = [[] as (string | null)[], [] as Float32Array[], 0]
    let width: number | undefined
    const flush = async (): Promise<void> => {
      await file.append(bytes.getBytes())
      bytes.index = 0
    }
    const group = async (): Promise<void> => {
      // Floats hardly repeat: a dictionary and snappy cost time and save nothing.
      const columnData = [
        { name: 'id', data: ids, encoding: 'PLAIN' as const },
        {
          name: 'embedding',
          data: vectors.map(listOf),
          encoding: 'PLAIN' as const,
          codec: 'UNCOMPRESSED' as const,
        },
      ]
      await parquet.write({ columnData, rowGroupSize: ids.length })
      ids = []
      vectors = []
      floats = 0
      await flush()
    }
    return {
      async write(answer) {
        if (answer.ids.length === 0) return
        const wide = widthOf(answer, width)
        width = wide
        for (const [i, id] of answer.ids.entries()) {
          ids.push(id)
          vectors.push(answer.vectors.subarray(i * wide, (i + 1) * wide))
        }
        floats += answer.vectors.length
        if (floats >= GROUP) await group()
      },
      state: () => undefined,
      async end() {
        if (ids.length > 0) await group()
        await parquet.finish()
        await flush()
      },
    }
  },
}
