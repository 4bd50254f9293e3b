#!/usr/bin/env node
import module from 'node:module'
import { Command, CommanderError } from 'commander'
import { VERSION } from '../version.ts'
import { EXIT, report, UsageError } from './exit.ts'
import { useRelaxedSimd } from './relaxed.ts'
import { endOnClosedPipe } from './stdio.ts'

// Node from 22 on can keep the compiled code of what commands load, so that the next one starts a seventh sooner.
if ('enableCompileCache' in module && typeof module.enableCompileCache === 'function') module.enableCompileCache()
useRelaxedSimd()

const program = new Command('twotower')
  .description('Run two-tower and other TensorFlow recommender exports on a CPU, without TensorFlow.')
  .version(VERSION)
  .showHelpAfterError('(add --help for what this command takes)')
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'twotower: ')) })

const MODEL = 'a SavedModel folder or a converted bundle'
const TAGS = ['--tags <tags>', 'the meta graph of a SavedModel, for example serve,gpu'] as const
const DETERMINISTIC = ['--deterministic', 'the same bits on every machine and runtime'] as const

/** A command with its example below the help; what it does is loaded when it is called. */
function command(name: string, description: string, example: string): Command {
  return program
    .command(name)
    .description(description)
    .exitOverride()
    .showHelpAfterError('(add --help for what this command takes)')
    .addHelpText('after', `\nExample:\n  ${example}`)
}

/** An option that may be repeated. */
const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** The options that say how embeddings are compared. */
const withSimilarity = (to: Command): Command =>
  to
    .option('--similarity <metric>', 'how embeddings are compared: dot, cosine or euclidean')
    .option('--scale <number>', 'what the similarity is multiplied by')
    .option('--bias <number>', 'what is added to it')
    .option('--sigmoid', 'the score is the logistic of it')

command('inspect', 'show signatures, towers, vocabularies, variables and ops', 'twotower inspect export/')
  .argument('<model>', MODEL)
  .option('--json', 'the same as JSON')
  .option(...TAGS)
  .action(async (model: string, options) => (await import('./inspect.ts')).inspect(model, options))

command('check', 'say before anything runs which signatures can be run, and what each lacks', 'twotower check export/')
  .argument('<model>', MODEL)
  .option('--json', 'the same as JSON')
  .option(...TAGS)
  .action(async (model: string, options) => (await import('./check.ts')).check(model, options))

withSimilarity(
  command(
    'convert',
    'turn a SavedModel, or one a tower, into a flat bundle: manifest.json and weights.bin',
    'twotower convert --query job/query_model --candidate job/candidate_model -o weights/movies',
  ),
)
  .argument('[model]', 'a SavedModel folder')
  .requiredOption('-o, --output <folder>', 'the folder to write; a bundle that is there is replaced')
  .option('--query <tower>', 'the query tower: a SavedModel folder, or with a model its SIGNATURE[:OUTPUT]')
  .option('--candidate <tower>', 'the candidate tower, likewise')
  .option('--preprocess <file>', 'declared preprocessing of raw features, to be kept in the bundle')
  .option(
    '--dtype <dtype>',
    'float32, or int8: layers in bytes, four times smaller, faster and a little less exact',
    'float32',
  )
  .option(...TAGS)
  .action(async (model: string | undefined, options) => (await import('./convert.ts')).convert(model, options))

command(
  'run',
  'answer requests, one JSON document a line, with what the model computes',
  `echo '{"inputs": {"user_id": ["42"]}}' | twotower run export/`,
)
  .argument('<model>', MODEL)
  .option('--signature <name>', 'for requests that name none (default: serving_default)')
  .option(...DETERMINISTIC)
  .option(...TAGS)
  .action(async (model: string, options) => (await import('./run.ts')).run(model, options))

command(
  'embed',
  'embed rows of raw features: lines of JSON, CSV, Parquet or TFRecords',
  'twotower embed weights/movies films.jsonl --tower candidate -o films.vectors.jsonl',
)
  .argument('<model>', MODEL)
  .argument('[files...]', 'rows of features, or patterns of files; standard input where none is named')
  .option('--tower <side>', 'query or candidate')
  .option('-o, --output <file>', 'where to write, a folder with --shard-rows (default: standard output)')
  .option('--format <format>', 'of the input: jsonl, csv, tsv, parquet or tfrecord (default: by extension)')
  .option(
    '--output-format <format>',
    'jsonl, parquet, npy, vector-search or batch-prediction (default: by extension, else jsonl)',
  )
  .option('--part <index/count>', 'one of several shares of the files, from 0/COUNT on, for one of several machines')
  .option('--shard-rows <rows>', 'write a folder of files, each of so many rows of input')
  .option('--errors <file>', 'where bad rows are reported, instead of in their places')
  .option('--summary', 'say at the end what was done, also where no terminal looks on')
  .option('--batch <rows>', 'rows that are embedded together', '256')
  .option('--resume', 'go on where an earlier run of the same command was ended; needs -o')
  .option('--workers <count>', 'threads that embed (default: one a core, where there is much to do)')
  .option(...DETERMINISTIC)
  .option(...TAGS)
  .action(async (model: string, files: string[], options) => (await import('./embed.ts')).embed(model, files, options))

withSimilarity(
  command(
    'score',
    'score pairs of a query and candidates',
    `echo '{"query": {"user_id": "42"}, "candidates": [{"title": "Key Largo"}]}' | twotower score weights/movies`,
  ),
)
  .argument('<model>', MODEL)
  .argument('[files...]', 'lines {"query", "candidate"} or {"query", "candidates"}; features or embeddings')
  .option(...DETERMINISTIC)
  .option(...TAGS)
  .action(async (model: string, files: string[], options) => (await import('./score.ts')).score(model, files, options))

withSimilarity(
  command(
    'index',
    'make an index of items to be searched, change it, or say what is in it',
    'twotower index weights/movies films.jsonl -o films.index',
  ),
)
  .argument('[paths...]', 'a model and files of items, files of embeddings, or an index')
  .option('-o, --output <file>', 'the index to write; one that is there is replaced')
  .option('--into <index>', 'put the items into this index, in place of those of the same ids')
  .option('--remove <id>', 'take an item out of the index; may be repeated', collect)
  .option('--remove-file <file>', 'take the items out whose ids stand there, one a line')
  .option('--compact', 'write what was put in and taken out into the file, and empty the log')
  .option('--approximate', 'learn partitions of the items, so that search can be approximate')
  .option('--leaf-items <count>', 'items of a partition, about (default: a quarter of the root of their number)')
  .option('--leaves <share>', 'the share of the partitions that a query looks into at most (default: 0.04)')
  .option('--stats', 'say what the index holds, with every checksum looked at')
  .option(
    '--format <format>',
    'of the items: jsonl, csv, tsv, parquet or tfrecord; vector-search for its files and folders (default: by extension)',
  )
  .option('--last-wins', 'of several items of one id the last counts (default: an error)')
  .option('--batch <rows>', 'items that are embedded together', '256')
  .option('--json', 'with --stats: the same as JSON')
  .option(...DETERMINISTIC)
  .option(...TAGS)
  .action(async (paths: string[], options) => (await import('./itemindex.ts')).index(paths, options))

command(
  'export',
  'write the items of an index for pgvector, Parquet, NumPy, FAISS or Vertex AI Vector Search',
  'twotower export films.index -o films.sql',
)
  .argument('<index>', 'what `twotower index` wrote')
  .requiredOption('-o, --output <file>', 'the file to write; one that is there is replaced')
  .option(
    '--format <format>',
    'pgvector, parquet, npy, faiss, vector-search-json, vector-search-csv or vector-search-avro (default: by extension)',
  )
  .option('--table <name>', "with pgvector: the table (default: the file's name)")
  .action(async (file: string, options) => (await import('./export.ts')).exportItems(file, options))

withSimilarity(
  command(
    'search',
    'rank items for queries: exact top-k',
    'twotower search weights/movies viewers.jsonl --items films.vectors.jsonl -k 10',
  ),
)
  .argument('[model]', `${MODEL}; with --index it may be left out, where queries are embeddings`)
  .argument('[files...]', 'queries: rows of features or {"embedding"}; standard input where none is named')
  .option('--items <file>', 'items with "id": rows of candidate features, or what embed wrote')
  .option('--index <file>', 'items that `twotower index` wrote')
  .option('-k, --k <count>', 'how many items a query', '10')
  .option('--approximate', 'nearly all of the best in a share of the time, by the partitions of an index')
  .option('--leaves <share>', 'the share of the partitions that is looked into')
  .option('--filter <json>', "restricts and numeric_restricts in Vector Search's form, or a file of them")
  .option('--exclude <id>', 'an item that is not wanted; may be repeated', collect)
  .option('--per-crowding-tag <count>', 'at most so many items of one crowding tag')
  .option('--explain', 'why each item ranks where it does')
  .option('--explain-id <id>', 'why this item is, or is not, in the answer; may be repeated', collect)
  .option('--batch <rows>', 'items that are embedded together', '256')
  .option(...DETERMINISTIC)
  .option(...TAGS)
  .action(async (model: string | undefined, files: string[], options) =>
    (await import('./search.ts')).search(model === undefined ? files : [model, ...files], options),
  )

withSimilarity(
  command(
    'serve',
    'answer over HTTP as TensorFlow Serving and Vertex AI do',
    'twotower serve weights/movies --name movies --port 8501',
  ),
)
  .argument('[models...]', `${MODEL}, or of numbered versions of one (default: what AIP_STORAGE_URI names)`)
  .option('--name <name>', "what the model is called (default: its folder's name)")
  .option('--host <address>', 'where to listen: 0.0.0.0 for all that can reach this machine (default: 127.0.0.1)')
  .option('--port <number>', 'the port; 0 for a free one (default: 8501)')
  .option('--label <name>', '[MODEL:]LABEL=VERSION: a name for a version; may be repeated', collect)
  .option('--items <file>', 'items to search, as search takes them')
  .option('--index <file>', 'an index to search, and to answer for as Vertex AI Vector Search; it needs no model')
  .option('--versions <count>', 'how many of the newest versions are served', '1')
  .option('--poll <seconds>', 'how often to look for new versions; 0 for never', '2')
  .option('--max-batch <rows>', 'rows of several requests that are run together; 1 runs each request alone', '64')
  .option('--max-wait <milliseconds>', 'how long a request may wait for others to run with', '0')
  .option('--max-requests <count>', 'requests that may wait; one more is answered 429', '1024')
  .option('--max-body <bytes>', 'how large a request may be', '33554432')
  .option('--timeout <milliseconds>', 'how long a request may take to arrive and to be run', '10000')
  .option('--grace <milliseconds>', 'how long a server that was told to end still takes requests', '1000')
  .option('--token-file <file>', 'a bearer token that requests must bring (default: TWOTOWER_TOKEN, or none)')
  .option('--cors <origin>', 'the origin whose pages may ask, https://shop.example, or * for all (default: none)')
  .option('--log-requests', 'a line of JSON on standard error for each request')
  .option('--playground', 'a page at /playground/ that runs the models in the browser')
  .option('--examples <file>', 'rows of query features that the playground begins with')
  .option(...DETERMINISTIC)
  .option(...TAGS)
  .action(async (models: string[], options) => (await import('./serve.ts')).serve(models, options))

command(
  'playground',
  'write the playground as a static site: a page that runs models in the browser',
  'twotower playground weights/movies --items films.jsonl -o site',
)
  .argument('[models...]', `${MODEL} that the page offers (default: the demo's)`)
  .requiredOption('-o, --output <folder>', 'the folder to write; a site that is there is replaced')
  .option('--items <file>', 'items to rank, one JSON document of candidate features or {"id", "embedding"} a line')
  .option('--examples <file>', 'rows of query features to begin with')
  .option('--tfjs', 'with tfjs-wasm, which must be installed, to be measured against')
  .option(...TAGS)
  .action(async (models: string[], options) => (await import('./playground.ts')).playground(models, options))

command(
  'verify',
  'hold recorded answers against what the model computes',
  'twotower verify weights/movies goldens/movies.json',
)
  .argument('<model>', MODEL)
  .argument('<recordings...>', 'goldens, or predict requests with their responses, one a line')
  .option('--tolerance <relative>', 'how far a float may be off; a tenth of it absolutely (default: 1e-5)')
  .option('--cosine <least>', 'judge rows of floats by their cosine instead (default for int8: 0.999)')
  .option('--backend <name>', 'tfjs: compare with the same graph on tfjs-wasm instead of the recorded answers')
  .option('--json', 'the report as JSON')
  .option(...DETERMINISTIC)
  .option(...TAGS)
  .action(async (model: string, files: string[], options) =>
    (await import('./verify.ts')).verify(model, files, options),
  )

withSimilarity(
  command(
    'evaluate',
    'measure recommendations by held-out interactions: recall, NDCG, MRR, coverage, popularity',
    'twotower evaluate weights/movies --items films.jsonl --interactions held.jsonl --exclude-seen train.jsonl',
  ),
)
  .argument('<model>', MODEL)
  .requiredOption('--items <file>', 'the catalogue, as search takes it')
  .requiredOption('--interactions <file>', 'rows of query features with the relevant items; may be repeated', collect)
  .option('-k, --k <counts>', 'lengths of lists', '10,100')
  .option('--item <name>', 'the member of a row that holds the relevant item, or a list of them', 'items')
  .option('--grade <name>', 'the member that holds how relevant each item is (default: all are alike)')
  .option('--by <name>', 'the member that says whose the row is', 'id')
  .option('--exclude-seen <file>', 'rows with the items that each has seen: not recommended, and what popularity is')
  .option('--int8', 'beside it the same model with its layers in bytes')
  .option('--approximate', 'beside it the same model before an index with partitions, searched approximately')
  .option('--leaves <share>', 'the same, and the share of the partitions that is looked into')
  .option('--against <model>', 'beside it another model; may be repeated', collect)
  .option('--batch <rows>', 'items that are embedded together', '256')
  .option('--seed <number>', 'what the chance of the confidence intervals begins with', '1')
  .option('--svg <file>', 'draw recall, NDCG and hit rate by the length of lists')
  .option('--json', 'the report as JSON')
  .option(...DETERMINISTIC)
  .option(...TAGS)
  .action(async (model: string, options) => (await import('./evaluate.ts')).evaluate(model, options))

command(
  'match',
  'find the preprocessing and the similarity under which a model answers as was recorded',
  'twotower match export/ --predictions endpoint.jsonl --vocabulary vocab.txt',
)
  .argument('<model>', MODEL)
  .requiredOption('--predictions <file>', "raw instances with the endpoint's predictions, or scored pairs")
  .option('--vocabulary <file>', 'tokens that ids stand for; NAME=FILE for one feature; may be repeated', collect)
  .option('--preprocess <file>', 'declared preprocessing to vary (default: what a bundle declares)')
  .option('--signature <name>', 'the signature that was recorded')
  .option('-o, --output <file>', 'where to write what was found (default: preprocess.json)')
  .option('--tolerance <relative>', 'how far a float may be off; a tenth of it absolutely', '1e-4')
  .option('--limit <tries>', 'how often the model is asked at most', '20000')
  .option('--json', 'the report as JSON')
  .option(...TAGS)
  .action(async (model: string, options) => (await import('./match.ts')).match(model, options))

withSimilarity(
  command(
    'explain',
    'follow one instance: raw value, tokens, ids, numbers, embedding, score',
    `twotower explain weights/movies '{"query": {"user_id": "42"}, "candidate": {"title": "Key Largo"}}'`,
  ),
)
  .argument('<model>', MODEL)
  .argument('<input>', 'a JSON file, - for standard input, or JSON itself: features, or {"query", "candidate"}')
  .option('--signature <name>', 'follow an instance of this signature instead of the towers')
  .option('--json', 'the same as JSON')
  .option(...TAGS)
  .action(async (model: string, input: string, options) =>
    (await import('./explain.ts')).explain(model, input, options),
  )

command(
  'diff',
  'show what differs between two exports or bundles, and between their answers',
  'twotower diff export/1 export/2 --input requests.jsonl',
)
  .argument('<a>', MODEL)
  .argument('<b>', 'another')
  .option('--input <file>', 'compare the answers too: predict bodies, rows of raw features or {"query", "candidates"}')
  .option('--json', 'the same as JSON')
  .option(...TAGS)
  .action(async (a: string, b: string, options) => (await import('./diff.ts')).diff(a, b, options))

command(
  'bench',
  'measure towers or a signature by batch, beside tfjs-wasm and ONNX Runtime where they are installed',
  'twotower bench weights/movies --rows viewers.jsonl --batches 1,256 --profile',
)
  .argument('<model>', MODEL)
  .option('--tower <side>', 'query or candidate (default: both)')
  .option('--signature <name>', 'measure this signature instead of the towers')
  .option('--batches <rows>', 'rows a call', '1,8,32,128,1024')
  .option('--rows <file>', 'rows of raw features (default: made from the signature); may be repeated', collect)
  .option('--seconds <time>', 'for each batch of a part, all engines together', '2')
  .option('--profile', 'show where the time of a request goes, by op and by feature')
  .option('--svg <file>', 'draw latency by batch')
  .option('--json', 'the report as JSON')
  .option(...DETERMINISTIC)
  .option(...TAGS)
  .action(async (model: string, options) => (await import('./bench.ts')).bench(model, options))

command(
  'demo',
  'a trained model on real films: convert, embed, recommend, and compare with TensorFlow',
  'twotower demo',
).action(async () => (await import('./demo.ts')).demo())

endOnClosedPipe()
try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage
  else {
    report(error)
    process.exitCode = error instanceof UsageError ? EXIT.usage : EXIT.failed
  }
}
