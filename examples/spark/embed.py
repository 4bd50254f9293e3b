"""Embeds a catalogue on a Spark cluster: one `twotower embed` a partition, rows in and vectors out by its pipes.

    spark-submit --archives movies.tgz#movies embed.py films.jsonl films.vectors.parquet --model movies --tower candidate

Every machine needs Node 20.16 or later and `npm install --global twotower`; the executors' Python needs pandas and pyarrow.
`--archives` carries the model to them. A row that cannot be embedded has an `error` in the place of its `embedding`.
"""
import argparse
import json
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, struct, to_json

ANSWER = 'id string, embedding array<float>, error string'
TOGETHER = 1024  # answers that go back to Spark at once


def ask(frames, pipe):
    """Writes the rows of all frames, a line of JSON each; how many there were."""
    asked = 0
    try:
        with pipe:
            for frame in frames:
                for line in frame['json']:
                    pipe.write(line + '\n')
                    asked += 1
    except BrokenPipeError:
        asked += 1  # it has ended before the rows did: then there are fewer answers
    return asked


def embedder(command):
    """What mapInPandas calls for a partition."""
    def embed(frames):
        import pandas as pd

        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding='utf-8')
        with ThreadPoolExecutor(1) as writer:
            asked = writer.submit(ask, frames, process.stdin)
            answered = 0
            try:
                while lines := list(islice(process.stdout, TOGETHER)):
                    answered += len(lines)
                    answers = [json.loads(line) for line in lines]
                    yield pd.DataFrame({
                        'id': [str(answer['id']) if 'id' in answer else None for answer in answers],
                        'embedding': [answer.get('embedding') for answer in answers],
                        'error': [answer.get('error') for answer in answers],
                    })
            finally:
                process.kill()  # where Spark wants no more; one that has ended does not mind
                process.wait()
            # A bad row ends it with 1 too, so rows are counted: none may be lost in silence.
            if asked.result() != answered:
                raise RuntimeError(f'{shlex.join(command)} answered {answered} of {asked.result()} rows: see its errors')
    return embed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('rows', help='JSON Lines, or Parquet where the name ends so')
    parser.add_argument('output', help='the Parquet folder to write')
    parser.add_argument('--model', required=True, help='as the executors see it')
    parser.add_argument('--tower', required=True, choices=['query', 'candidate'])
    parser.add_argument('--command', default='twotower', help='how twotower is called there')
    parser.add_argument('--workers', default='1', help='threads of each process: spark.task.cpus')
    options = parser.parse_args()
    command = [*shlex.split(options.command), 'embed', options.model, '--tower', options.tower, '--workers', options.workers]

    spark = SparkSession.builder.appName('twotower embed').getOrCreate()
    if options.rows.rstrip('/').endswith('.parquet'):
        table = spark.read.parquet(options.rows)
        rows = table.select(to_json(struct(*table.columns)).alias('json'))
    else:
        rows = spark.read.text(options.rows).select(col('value').alias('json')).where("trim(json) != ''")
    rows.mapInPandas(embedder(command), ANSWER).write.mode('overwrite').parquet(options.output)
    spark.stop()


if __name__ == '__main__':
    main()
