"""Embeds a shop's items and the queries of its visitors by two towers, trained on what the visitors took.

    PYTHON embed.py FOLDER [--items 1000000] [--queries 2000] [--steps 1500]

writes items.f32 and queries.f32 (little-endian rows of 64 numbers) and about.json. With TensorFlow 2.15.1 and NumPy 1.26.4.

The shop is made up, skewed as shops are: categories, brands, words and items have Zipf's popularity, an item's words and
price come with its category and brand, and of what a visitor is shown of his categories he takes what lies nearest to his
taste, which no feature says outright. The towers are those of TensorFlow Recommenders' tutorials: embeddings of the
features, two dense layers, the dot product, and a softmax over the batch.
"""
import argparse
import json
import os

import numpy as np
import tensorflow as tf

WIDTH = 64
CATEGORIES, BRANDS, WORDS, BUCKETS = 2_000, 30_000, 30_000, 1 << 18
TASTE = 12
HISTORY, TITLE = 6, 8
BATCH = 2_048


def zipf(count, exponent):
    weights = 1 / np.arange(1, count + 1) ** exponent
    return weights / weights.sum()


class Shop:
    def __init__(self, items, random):
        self.random = random
        self.category = np.sort(random.choice(CATEGORIES, items, p=zipf(CATEGORIES, 0.7))).astype(np.int32)
        # A category has brands and words of its own.
        own_brands = random.choice(BRANDS, (CATEGORIES, 60), p=zipf(BRANDS, 0.6))
        own_words = random.choice(WORDS, (CATEGORIES, 120), p=zipf(WORDS, 0.5))
        self.brand = own_brands[self.category, random.choice(60, items, p=zipf(60, 0.9))].astype(np.int32)
        words = own_words[self.category[:, None], random.choice(120, (items, TITLE), p=zipf(120, 0.8))]
        common = random.choice(WORDS, (items, TITLE), p=zipf(WORDS, 1.0))
        self.words = np.where(random.random((items, TITLE)) < 0.3, common, words).astype(np.int32)
        taste = lambda count: random.standard_normal((count, TASTE)).astype(np.float32)
        by_brand, by_word = taste(BRANDS), taste(WORDS)
        self.taste = by_brand[self.brand] + by_word[self.words].mean(1) * 1.5 + 0.5 * taste(items)
        level = random.standard_normal(CATEGORIES)[self.category] + 0.7 * random.standard_normal(BRANDS)[self.brand]
        self.price = (level + 0.5 * random.standard_normal(items)).astype(np.float32)
        self.bucket = ((np.arange(items, dtype=np.int64) * 2654435761) % BUCKETS).astype(np.int32)
        self.weight = np.concatenate([[0], np.cumsum(random.permutation(zipf(items, 0.8)))])
        self.start = np.searchsorted(self.category, np.arange(CATEGORIES + 1))
        self.filled = np.flatnonzero(np.diff(self.start))

    def visits(self, count):
        """What `count` visitors took: HISTORY items each and the next."""
        random = self.random
        share = zipf(CATEGORIES, 0.6)[self.filled]
        favourites = random.choice(self.filled, (count, 3), p=share / share.sum())
        taste = random.standard_normal((count, 1, 1, TASTE)).astype(np.float32)
        category = np.take_along_axis(favourites, random.choice(3, (count, HISTORY + 1), p=[0.6, 0.3, 0.1]), 1)
        low, high = self.weight[self.start[category]], self.weight[self.start[category + 1]]
        shown = np.searchsorted(self.weight, low[..., None] + random.random((count, HISTORY + 1, 12)) * (high - low)[..., None])
        shown = np.clip(shown - 1, 0, len(self.category) - 1)
        liking = (self.taste[shown] * taste).sum(-1) + random.gumbel(size=shown.shape)
        taken = np.take_along_axis(shown, liking.argmax(-1)[..., None], 2)[..., 0]
        return taken[:, :-1], taken[:, -1]

    def features(self, rows):
        return {
            "category": self.category[rows],
            "brand": self.brand[rows],
            "words": self.words[rows],
            "bucket": self.bucket[rows],
            "price": self.price[rows],
        }


class Items(tf.Module):
    def __init__(self):
        normal = lambda count: tf.Variable(tf.random.normal([count, 32], stddev=0.1))
        self.category, self.brand, self.words, self.bucket = normal(CATEGORIES), normal(BRANDS), normal(WORDS), normal(BUCKETS)

    def __call__(self, of):
        parts = [tf.gather(self.category, of["category"]), tf.gather(self.brand, of["brand"])]
        parts += [tf.reduce_mean(tf.gather(self.words, of["words"]), -2), tf.gather(self.bucket, of["bucket"])]
        return tf.concat([*parts, of["price"][..., None]], -1)


def tower():
    return tf.keras.Sequential([tf.keras.layers.Dense(128, "relu"), tf.keras.layers.Dense(WIDTH)])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=2_000)
    parser.add_argument("--steps", type=int, default=1_500)
    asked = parser.parse_args()
    tf.keras.utils.set_random_seed(7)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    shop = Shop(asked.items, np.random.default_rng(7))
    of_item, query, candidate = Items(), tower(), tower()
    optimizer = tf.keras.optimizers.Adagrad(0.1)

    def embed_query(history):
        return query(tf.reduce_mean(of_item(history), 1))

    def embed_item(rows):
        return candidate(of_item(rows))

    @tf.function
    def step(history, taken):
        with tf.GradientTape() as tape:
            scores = tf.matmul(embed_query(history), embed_item(taken), transpose_b=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(tf.range(BATCH), scores))
        weights = [*of_item.trainable_variables, *query.trainable_variables, *candidate.trainable_variables]
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        return loss

    losses = []
    for number in range(asked.steps):
        history, taken = shop.visits(BATCH)
        losses.append(float(step(shop.features(history), shop.features(taken))))
        if number % 100 == 99:
            print(number + 1, "steps, loss", np.mean(losses[-100:]), flush=True)

    os.makedirs(asked.folder, exist_ok=True)
    with open(os.path.join(asked.folder, "items.f32"), "wb") as file:
        for start in range(0, asked.items, 16_384):
            rows = np.arange(start, min(start + 16_384, asked.items))
            file.write(embed_item(shop.features(rows)).numpy().astype("<f4").tobytes())
    history, _ = shop.visits(asked.queries)
    embed_query(shop.features(history)).numpy().astype("<f4").tofile(os.path.join(asked.folder, "queries.f32"))
    about = {"name": "shop", "items": asked.items, "queries": asked.queries, "width": WIDTH, "metric": "dot", "steps": asked.steps, "sorted": True}
    about |= {"loss": [float(np.mean(losses[:20])), float(np.mean(losses[-100:]))], "tensorflow": tf.__version__}
    with open(os.path.join(asked.folder, "about.json"), "w") as file:
        json.dump(about, file, indent=1)


main()
