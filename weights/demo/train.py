"""Trains the demo's two towers and writes everything in this folder but the code and the README.

    npm ci && pip install -r weights/demo/requirements.txt && python weights/demo/train.py

Real: the films (npm package `vega-datasets`), TensorFlow's training, the exported graphs, the goldens.
Simulated: all 2,000 viewers and what they saw (viewers.py says how). So the recall below measures how well the towers
recover the simulation, and says nothing about real audiences.

Written: query_model/ and candidate_model/ (SavedModels), films.jsonl, viewers.jsonl, held.jsonl, seen.jsonl,
goldens/*.json, training.log.
Seeds are fixed, ops deterministic and threads one, so the same machine gives the same weights; another kind of CPU may
differ in the last bits. A few minutes on one core.
"""
import json
import os
import shutil
import tempfile
from pathlib import Path

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

import goldens
import towers
from films import load_films
from viewers import make_viewers

HERE = Path(__file__).resolve().parent
MOVIES = HERE.parents[1] / 'node_modules/vega-datasets/data/movies.json'
SEED, VIEWERS, EPOCHS, BATCH = 20, 2000, 24, 512
TEMPERATURE = 0.1  # in the training's softmax only; the served similarity is the bare cosine
HELD_OUT, RECENT, TOP, WORDS = 0.2, 5, 100, 1200
JUDGES = 100  # viewers whose films are written down, held out and seen
UNKNOWN_VIEWER, UNKNOWN_FILM, NO_HISTORY = 0.25, 0.1, 0.1  # how often training hides it, so that strangers get sense


def columns_of(rows):
    """Rows of features as the arrays that the towers take."""
    return {name: np.array([row[name] for row in rows], object if isinstance(value, str) else np.float32)
            for name, value in rows[0].items()}


def tensors(columns):
    return {name: tf.constant(x.tolist(), tf.string if x.dtype == object else tf.float32) for name, x in columns.items()}


def embed(tower, columns):
    return tower(tensors(columns)).numpy()


def words_of(titles):
    """The most frequent words of the titles, split as the graph splits them; the rest is out of vocabulary."""
    layer = tf.keras.layers.TextVectorization(max_tokens=WORDS)
    layer.adapt(titles)
    return layer.get_vocabulary(include_special_tokens=False)


def recent_titles(titles, seen, rng=None, without=None):
    """Some of the films seen, as text: the last ones, or a random few without the one that is to be predicted."""
    if rng is not None:
        seen = [film for film in rng.choice(seen, RECENT + 1, replace=False) if film != without]
    return ', '.join(titles[film] for film in seen[-RECENT:])


def training_step(query, candidate, optimizer):
    """In-batch softmax of TensorFlow Recommenders, corrected for how often a film is drawn."""
    task = tfrs.tasks.Retrieval(temperature=TEMPERATURE, remove_accidental_hits=True)

    @tf.function(reduce_retracing=True)
    def step(q, c, ids, share):
        with tf.GradientTape() as tape:
            loss = task(query(q, training=True), candidate(c, training=True), compute_metrics=False,
                        candidate_ids=ids, candidate_sampling_probability=share) / BATCH
        variables = query.trainable_variables + candidate.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss
    return step


def train(query, candidate, viewers, people, films, titles, rng, log):
    pairs = np.array([(v, film) for v, viewer in enumerate(viewers) for film in viewer['train']])
    share = np.bincount(pairs[:, 1], minlength=len(titles)) / len(pairs)
    steps = len(pairs) // BATCH
    optimizer = tf.keras.optimizers.Adam(tf.keras.optimizers.schedules.CosineDecay(2e-3, EPOCHS * steps))
    step = training_step(query, candidate, optimizer)
    for epoch in range(EPOCHS):
        losses = []
        rng.shuffle(pairs)
        for v, f in (pairs[i * BATCH:(i + 1) * BATCH].T for i in range(steps)):
            q, c = {k: x[v] for k, x in people.items()}, {k: x[f] for k, x in films.items()}
            q['recent_titles'] = np.array(
                [recent_titles(titles, viewers[a]['train'], rng, b) for a, b in zip(v, f)], object)
            q['recent_titles'] = np.where(rng.random(BATCH) < NO_HISTORY, '', q['recent_titles'])
            q['viewer_id'] = np.where(rng.random(BATCH) < UNKNOWN_VIEWER, '', q['viewer_id'])
            c['film_id'] = np.where(rng.random(BATCH) < UNKNOWN_FILM, '', c['film_id'])
            losses.append(step(tensors(q), tensors(c), tf.constant(f), tf.constant(share[f], tf.float32)))
        log(f'epoch {epoch + 1:2d}  loss {np.mean(losses):.4f}')


def recall(scores, viewers):
    """Mean share of a viewer's held-out films among the first 100 that were not in training."""
    found = []
    for row, viewer in zip(scores.copy(), viewers):
        row[viewer['train']] = -np.inf
        found.append(np.isin(viewer['held'], np.argsort(-row, kind='stable')[:TOP]).mean())
    return float(np.mean(found))


def report(query, candidate, viewers, people, films, rng, log):
    items, count = embed(candidate, films), len(films['film_id'])
    seen = np.bincount(np.concatenate([viewer['train'] for viewer in viewers]), minlength=count)
    unknown = np.full(len(viewers), '', object)
    strangers, new = people | {'viewer_id': unknown}, people | {'viewer_id': unknown, 'recent_titles': unknown}
    log(f'recall@{TOP} on held-out films, {len(viewers)} simulated viewers, {count} films')
    for name, scores in (
            ('random order', rng.random((len(viewers), count))),
            ('popularity', np.tile(seen.astype(float), (len(viewers), 1))),
            ('two towers', embed(query, people) @ items.T),
            ('two towers, viewer id unknown', embed(query, strangers) @ items.T),
            ('two towers, no id and no history', embed(query, new) @ items.T),
            ('the simulated taste itself', np.array([viewer['worth'] for viewer in viewers]))):
        log(f'  {name:34s} {recall(scores, viewers):.4f}')


def write_lines(path, rows):
    path.write_text(''.join(json.dumps(row, ensure_ascii=False, separators=(',', ':')) + '\n' for row in rows), 'utf-8')


def main():
    tf.keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    rng = np.random.default_rng(SEED)
    lines = []

    def log(line):
        print(line, flush=True)
        lines.append(line + '\n')

    film_rows = load_films(MOVIES)
    viewers = make_viewers(film_rows, VIEWERS, rng)
    titles = [film['title'] for film in film_rows]
    for viewer in viewers:
        held = max(1, round(len(viewer['seen']) * HELD_OUT))
        viewer['held'], viewer['train'] = viewer['seen'][:held], viewer['seen'][held:]
        viewer['features']['recent_titles'] = recent_titles(titles, viewer['train'])
    films = columns_of([{k: v for k, v in film.items() if k != 'id'} for film in film_rows])
    people = columns_of([viewer['features'] for viewer in viewers])
    log(f'{len(film_rows)} films, {len(viewers)} simulated viewers, '
        f"{sum(len(v['train']) for v in viewers)} pairs to train on, {sum(len(v['held']) for v in viewers)} held out")

    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)  # so that the vocabularies have names without a machine's path
        for name, words in (('viewer_ids', people['viewer_id']), ('film_ids', films['film_id']),
                            ('title_words', words_of(titles))):
            Path(f'{name}.txt').write_text('\n'.join(words), 'utf-8')
        query = towers.query_tower(people, 'viewer_ids.txt', 'title_words.txt')
        candidate = towers.candidate_tower(films, 'film_ids.txt', 'title_words.txt')
        train(query, candidate, viewers, people, films, titles, rng, log)
        report(query, candidate, viewers, people, films, rng, log)
        for tower, name in ((query, 'query_model'), (candidate, 'candidate_model')):
            shutil.rmtree(HERE / name, ignore_errors=True)
            towers.export(tower, str(HERE / name))
            for spare in ('fingerprint.pb', 'keras_metadata.pb'):  # no reader of a signature needs them
                (HERE / name / spare).unlink(missing_ok=True)
        os.chdir(HERE)

    write_lines(HERE / 'films.jsonl', film_rows)
    described = [{'id': v['id'], 'description': v['description'], **v['features']} for v in viewers if v['description']]
    write_lines(HERE / 'viewers.jsonl', described)
    ids = np.array([film['id'] for film in film_rows])
    judges = viewers[:JUDGES]
    write_lines(HERE / 'held.jsonl', [{'id': v['id'], **v['features'], 'items': ids[v['held']].tolist()} for v in judges])
    write_lines(HERE / 'seen.jsonl', [{'id': v['id'], 'items': ids[v['train']].tolist()} for v in judges])
    goldens.write(HERE, film_rows, described)
    (HERE / 'training.log').write_text(''.join(lines), 'utf-8')


if __name__ == '__main__':
    main()
