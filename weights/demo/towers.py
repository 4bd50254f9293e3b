"""The two towers. All preprocessing is in the graph, so a served tower takes raw features by name.

Each ends in a unit vector, so the similarity that was trained, the dot product, is the cosine. The five kinds of
feature of Vertex AI's built-in two-tower training are all here: Id (vocabulary file, embedding), Categorical
(vocabulary in the graph or a hash, embedding or one-hot), Numeric (normalised by mean and variance), Text (lower-case,
punctuation stripped, split at whitespace, vocabulary file, embedding, mean) and Vector (scaled to length one).
"""
import tensorflow as tf

import viewers

L = tf.keras.layers
HIDDEN, WIDTH = (256, 128), 64
TITLE_WORDS, RECENT_WORDS = 16, 32


class FillMissing(L.Layer):
    """A number below zero was not known: take the mean of the known ones. float32 [batch] in and out."""

    def __init__(self, mean, **kwargs):
        super().__init__(**kwargs)
        self.mean = mean

    def call(self, x):
        return tf.where(x < 0, self.mean, x)


class Log(L.Layer):
    """log(1 + x), for what spans powers of ten."""

    def call(self, x):
        return tf.math.log1p(x)


class MeanOfWords(L.Layer):
    """float32 [batch, words, width] and its mask to [batch, width]; no words give zeros.

    Keras' GlobalAveragePooling1D divides by the number of words and answers NaN for an empty text.
    """

    def call(self, x, mask=None):
        known = tf.cast(mask, x.dtype)[:, :, tf.newaxis]
        return tf.math.divide_no_nan(tf.reduce_sum(x * known, 1), tf.reduce_sum(known, 1))


def id_embedding(x, vocabulary, width):
    return L.Embedding(sum(1 for _ in open(vocabulary)) + 1, width)(L.StringLookup(vocabulary=vocabulary)(x))


def categorical(x, vocabulary, width):
    return L.Embedding(len(vocabulary) + 1, width)(L.StringLookup(vocabulary=vocabulary)(x))


def one_hot(x, vocabulary):
    return L.StringLookup(vocabulary=vocabulary, output_mode='one_hot')(x)


def hashed(x, bins, width):
    return L.Embedding(bins, width)(L.Hashing(bins)(x))


def numeric(x, values, log=False):
    known = values[values >= 0]
    x = FillMissing(float(known.mean()))(x)
    if log:
        x, known = Log()(x), tf.math.log1p(known).numpy()
    normalise = L.Normalization(axis=None)
    normalise.adapt(known)
    return L.Reshape((1,))(normalise(x))


def text(x, vocabulary, length, width):
    tokens = L.TextVectorization(vocabulary=vocabulary, output_sequence_length=length)(x)
    size = sum(1 for _ in open(vocabulary)) + 2
    return MeanOfWords()(L.Embedding(size, width, mask_zero=True)(tokens))


def tower(inputs, parts, name):
    x = L.Concatenate()(parts)
    for width in HIDDEN:
        x = L.Dense(width, activation='relu')(x)
    return tf.keras.Model(inputs, L.UnitNormalization(name='unit_length')(L.Dense(WIDTH)(x)), name=name)


def strings(*names):
    return {name: tf.keras.Input((), name=name, dtype=tf.string) for name in names}


def floats(*names):
    return {name: tf.keras.Input((), name=name, dtype=tf.float32) for name in names}


def query_tower(columns, viewer_ids, words):
    i = strings('viewer_id', 'favourite_genre', 'household', 'recent_titles') | floats('birth_year', 'films_per_month')
    i['taste'] = tf.keras.Input((len(viewers.TASTE),), name='taste', dtype=tf.float32)
    return tower(i, [
        id_embedding(i['viewer_id'], viewer_ids, 32),
        categorical(i['favourite_genre'], viewers.GENRES, 8),
        one_hot(i['household'], viewers.HOUSEHOLDS),
        numeric(i['birth_year'], columns['birth_year']),
        numeric(i['films_per_month'], columns['films_per_month'], log=True),
        text(i['recent_titles'], words, RECENT_WORDS, 32),
        L.UnitNormalization()(i['taste']),
    ], 'query')


def candidate_tower(columns, film_ids, words):
    i = strings('film_id', 'title', 'genre', 'creative_type', 'director', 'mpaa')
    i |= floats('year', 'imdb_rating', 'imdb_votes', 'budget')
    return tower(i, [
        id_embedding(i['film_id'], film_ids, 32),
        text(i['title'], words, TITLE_WORDS, 32),
        categorical(i['genre'], viewers.GENRES, 8),
        categorical(i['creative_type'], viewers.TYPES, 8),
        hashed(i['director'], 512, 16),
        one_hot(i['mpaa'], viewers.RATINGS),
        numeric(i['year'], columns['year']),
        numeric(i['imdb_rating'], columns['imdb_rating']),
        numeric(i['imdb_votes'], columns['imdb_votes'], log=True),
        numeric(i['budget'], columns['budget'], log=True),
    ], 'candidate')


def export(model, folder):
    """A SavedModel with one signature, `serving_default`: the features by name in, `embedding` [batch, 64] out."""
    specs = {x.name: tf.TensorSpec([None, *x.shape[1:]], x.dtype, name=x.name) for x in model.inputs}

    @tf.function(input_signature=[specs])
    def serving(features):
        return {'embedding': model(features, training=False)}

    tf.saved_model.save(model, folder, signatures={'serving_default': serving})
