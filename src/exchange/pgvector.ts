import type { Metric } from '../graph/index.ts'
import { float32Text } from '../json/text.ts'
import { Utf8Writer } from '../json/utf8.ts'
import type { Datapoint } from '../search/datapoint.ts'
import { joined } from '../search/filter.ts'
import { valueText } from './datapointjson.ts'
import type { ExportFormat, ExportPlan } from './export.ts'

// SQL as pg_dump writes it: the table, its rows behind COPY … FROM stdin, then the indexes, so that `psql -f` loads all.

/** Bytes that are written at once. */
const PIECE = 1 << 20
/** pgvector's HNSW index takes a `vector` of so many numbers. */
const MOST_INDEXED = 2000

const OPERATORS: Readonly<Record<Metric, { readonly operator: string; readonly ops: string; readonly gives: string }>> =
  {
    dot: { operator: '<#>', ops: 'vector_ip_ops', gives: 'the negative of the dot product' },
    cosine: { operator: '<=>', ops: 'vector_cosine_ops', gives: '1 - cosine' },
    euclidean: { operator: '<->', ops: 'vector_l2_ops', gives: 'the distance' },
  }

/** A script that makes, fills and indexes a table of items for PostgreSQL with pgvector, with a query as a comment. */
export const PGVECTOR: ExportFormat = {
  paths: (path) => [path],
  sink([file], plan) {
    const { metric, scale } = plan.similarity
    if (scale < 0 && metric !== 'euclidean')
      throw new RangeError(`the similarity's scale is ${scale}: pgvector's indexes would find the farthest`)
    const writer = new Utf8Writer(2 * PIECE)
    writer.text(schema(plan))
    return {
      async write(datapoint) {
        writer.text(copyRow(datapoint))
        if (writer.length >= PIECE) await file.append(writer.take())
      },
      end() {
        writer.text(`\\.\n\n${indexes(plan)}`)
        return file.append(writer.take())
      },
    }
  },
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

function schema({ name, width }: ExportPlan): string {
  return `CREATE EXTENSION IF NOT EXISTS vector;

CREATE TABLE ${quoted(name)} (
  id text PRIMARY KEY,
  embedding vector(${width}) NOT NULL,
  -- {"NAMESPACE": {"allow": ["TOKEN", ...], "deny": ["TOKEN", ...]}}
  restricts jsonb NOT NULL,
  -- {"NAMESPACE": NUMBER}
  numbers jsonb NOT NULL,
  crowding_tag text
);

COPY ${quoted(name)} (id, embedding, restricts, numbers, crowding_tag) FROM stdin;
`
}

function indexes({ name, width, similarity: { metric } }: ExportPlan): string {
  const { operator, ops, gives } = OPERATORS[metric]
  const table = quoted(name)
  const nearest =
    width > MOST_INDEXED
      ? `-- pgvector indexes a vector of ${MOST_INDEXED} numbers at most: these are scanned.`
      : `-- Nearly the nearest, fast; without it, or with SET enable_indexscan = off, exactly the nearest.
CREATE INDEX ON ${table} USING hnsw (embedding ${ops});`
  return `${nearest}
CREATE INDEX ON ${table} USING gin (restricts jsonb_path_ops);

-- The ten nearest of those that allow a token and do not deny it; ${operator} gives ${gives}:
--   SELECT id, embedding ${operator} '[${width === 1 ? '0.1' : '0.1, ...'}]' AS distance FROM ${table}
--   WHERE restricts @> '{"genre": {"allow": ["drama"]}}' AND NOT restricts @> '{"genre": {"deny": ["drama"]}}'
--     AND (numbers->>'year')::bigint >= 1950
--   ORDER BY embedding ${operator} '[${width === 1 ? '0.1' : '0.1, ...'}]' LIMIT 10;
`
}

/** A row of COPY's text format. @throws {RangeError} for what PostgreSQL cannot hold */
function copyRow({ id, embedding, restricts = [], numericRestricts = [], crowdingTag }: Datapoint): string {
  const namespaces = joined(restricts)
  const tokens = JSON.stringify(
    Object.fromEntries(namespaces.map(({ namespace, allow, deny }) => [namespace, { allow, deny }])),
  )
  const numbers = numericRestricts.map((each) => `${JSON.stringify(each.namespace)}: ${valueText(each)}`).join(', ')
  const cells = [id, `[${Array.from(embedding, float32Text).join(',')}]`, tokens, `{${numbers}}`]
  const texts = [
    id,
    crowdingTag ?? '',
    ...namespaces.flatMap(({ namespace, allow, deny }) => [namespace, ...allow, ...deny]),
  ]
  if ([...texts, ...numericRestricts.map(({ namespace }) => namespace)].some((text) => text.includes('\0')))
    throw new RangeError(`the item ${JSON.stringify(id)} holds a NUL character, which PostgreSQL's text cannot`)
  return `${[...cells.map(escaped), crowdingTag === undefined ? '\\N' : escaped(crowdingTag)].join('\t')}\n`
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }
const escaped = (cell: string): string => cell.replace(/[\\\t\n\r]/g, (char) => ESCAPES[char])
