import { Utf8Writer } from '../json/utf8.ts'
import { AvroWriter } from './avro/bytes.ts'
import { CODECS, type CodecName } from './avro/codecs.ts'
import { avroBlock, avroHead } from './avro/container.ts'
import { SCHEMA, writeRecord } from './avro/datapoints.ts'
import { csvRow } from './datapointcsv.ts'
import { writeJsonLine } from './datapointjson.ts'
import type { ExportFormat } from './export.ts'

/** Bytes that are written at once; of Avro, those of a block before it is packed. */
const PIECE = 1 << 20

/** Vector Search's JSON: a record a line. */
export const JSON_LINES: ExportFormat = lines(writeJsonLine)

/** Vector Search's CSV. */
export const CSV: ExportFormat = lines((writer, datapoint) => writer.text(`${csvRow(datapoint)}\n`))

function lines(write: typeof writeJsonLine): ExportFormat {
  return {
    paths: (path) => [path],
    sink([file]) {
      const writer = new Utf8Writer(2 * PIECE)
      return {
        async write(datapoint) {
          write(writer, datapoint)
          if (writer.length >= PIECE) await file.append(writer.take())
        },
        end: () => file.append(writer.take()),
      }
    },
  }
}

/** Vector Search's Avro, its blocks packed by `codec`. */
export function avro(codec: CodecName = 'deflate'): ExportFormat {
  return {
    paths: (path) => [path],
    sink([file]) {
      const [writer, mark] = [new AvroWriter(), crypto.getRandomValues(new Uint8Array(16))]
      let count = 0
      const block = async () => {
        if (count > 0) await file.append(await avroBlock(count, writer.take(), CODECS[codec], mark))
        count = 0
      }
      return {
        async write(datapoint) {
          if (file.size === 0) await file.append(avroHead(SCHEMA, codec, mark))
          writeRecord(writer, datapoint)
          count++
          if (writer.length >= PIECE) await block()
        },
        async end() {
          if (file.size === 0) await file.append(avroHead(SCHEMA, codec, mark))
          await block()
        },
      }
    },
  }
}
