"""What TensorFlow answers for the exported SavedModels, loaded anew from disk.

A case is {signature, inputs, outputs | error}; a tensor is {dtype, shape, data}, flat and row-major. A string that is
not UTF-8 is {"b64": …}, NaN and infinities are strings. A case with `error` is one that TensorFlow refuses.
"""
import base64
import json
import math

import numpy as np
import tensorflow as tf

TOP = 10


def plain(value):
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {'b64': base64.b64encode(value).decode()}
    value = float(str(np.float32(value)))  # the shortest decimal that reads back as the same float32
    return value if math.isfinite(value) else {'nan': 'NaN', 'inf': 'Infinity', '-inf': '-Infinity'}[str(value)]


def tensor(t):
    t = t.numpy() if hasattr(t, 'numpy') else t
    dtype = 'string' if t.dtype == object else str(t.dtype)
    return {'dtype': dtype, 'shape': list(t.shape), 'data': [plain(v) for v in t.ravel()]}


def batch(rows, names):
    """Rows of features as tensors, a feature each."""
    out = {}
    for name in names:
        values = [row[name] for row in rows]
        out[name] = tf.constant(values, tf.string if isinstance(values[0], (str, bytes)) else tf.float32)
    return out


def reason(refusal):
    """The line of TensorFlow's message that says what is wrong, without the traceback around it."""
    lines = str(refusal).split('\n')
    at = next((i for i, line in enumerate(lines) if '[[{{node' in line), 1)
    return lines[at - 1].split('. Received args')[0]


def answer(signature, inputs):
    case = {'signature': 'serving_default', 'inputs': {k: tensor(v) for k, v in inputs.items()}}
    try:
        case['outputs'] = {k: tensor(v) for k, v in signature(**inputs).items()}
    except Exception as refusal:  # whatever TensorFlow raises is the golden
        case['error'] = reason(refusal)
    return case


ODD_TEXTS = [
    '', ' ', '...', 'STAR WARS', 'star   wars', ' star\twars\n', "The Matrix: Reloaded!", "Schindler's List",
    'Amélie', 'AMÉLIE', 'La Môme', 'Alien³', '千と千尋の神隠し', 'star\u00a0wars', 'qwertyuiop zxcvbnm', 'the', '2 Fast 2 Furious',
    'the qwertyuiop', 'a-b_c', ' '.join(['the king of the night'] * 12), b'caf\xe9 king', '\u0130stanbul \u212a',
]


def query_cases(signature, viewers):
    names = sorted(signature.structured_input_signature[1])
    one = viewers[0]
    odd = [one | {'recent_titles': text} for text in ODD_TEXTS]
    odd += [one | change for change in (
        {'viewer_id': ''}, {'viewer_id': 'nobody'}, {'viewer_id': 'MARA'}, {'viewer_id': 'mara '}, {'viewer_id': b'\xff\xfe'},
        {'viewer_id': 'v1999'}, {'viewer_id': 'v2000'}, {'favourite_genre': ''}, {'favourite_genre': 'horror'},
        {'favourite_genre': 'Western'}, {'household': ''}, {'household': 'family'}, {'household': 'castle'},
        {'birth_year': -1}, {'birth_year': 0}, {'birth_year': 1.5e6}, {'films_per_month': -7}, {'films_per_month': 0},
        {'films_per_month': 1e9}, {'birth_year': float('nan')}, {'taste': [0.0] * 8}, {'taste': [1e-20] * 8},
        {'taste': [1000.0] * 8}, {'taste': [-1.0, 1, -1, 1, -1, 1, -1, 1]}, {'taste': [0, 0, 0, 1e-6, 0, 0, 0, 0]},
        {'viewer_id': '', 'favourite_genre': '', 'household': '', 'recent_titles': '', 'birth_year': -1,
         'films_per_month': -1, 'taste': [0.0] * 8})]
    groups = [[v] for v in viewers] + [[row] for row in odd] + [viewers[:2], viewers, odd[:33], (viewers + odd) * 3]
    cases = [answer(signature, batch(rows, names)) for rows in groups]
    short, uneven, less = (batch([one], names) for _ in range(3))
    short['taste'] = short['taste'][:, :7]
    uneven['viewer_id'] = tf.constant(['mara', 'otto'])
    del less['household']
    return cases + [answer(signature, inputs) for inputs in (short, uneven, less)]


def candidate_cases(signature, films):
    names = sorted(signature.structured_input_signature[1])
    by_id = {film['id']: film for film in films}
    one = by_id['star-wars-ep-iv-a-new-hope-1977'] if 'star-wars-ep-iv-a-new-hope-1977' in by_id else films[1000]
    odd = [one | {'title': text} for text in ODD_TEXTS]
    odd += [one | change for change in (
        {'film_id': ''}, {'film_id': 'no-such-film-1900'}, {'film_id': b'\xff\xfe'}, {'film_id': films[-1]['id']},
        {'genre': ''}, {'genre': 'Space Opera'}, {'genre': 'adventure'}, {'creative_type': ''}, {'creative_type': 'Poem'},
        {'director': ''}, {'director': 'Nobody At All'}, {'director': 'Agnès Varda'}, {'director': 'x' * 100},
        {'director': b'\x00\xff'}, {'mpaa': ''}, {'mpaa': 'G'}, {'mpaa': 'X'}, {'year': -1}, {'year': 0}, {'year': 1895.5},
        {'imdb_rating': -1}, {'imdb_rating': 0}, {'imdb_votes': -1}, {'imdb_votes': 0}, {'imdb_votes': 3.0e38},
        {'budget': -1}, {'budget': 0}, {'budget': 1e12}, {'budget': float('nan')}, {'year': float('inf')},
        {k: -1 if not isinstance(v, str) else '' for k, v in one.items()})]
    stride = len(films) // 12
    groups = [[film] for film in films[::stride]] + [[row] for row in odd]
    groups += [films[:2], films[7:12], films[100:133], odd, films[5::25]]
    cases = [answer(signature, batch(rows, names)) for rows in groups]
    uneven, matrix, less = (batch([one], names) for _ in range(3))
    uneven['film_id'] = tf.constant(['300-2007', 'alien-1979'])
    matrix['year'] = tf.constant([[1977.0, 1978.0]])
    del less['budget']
    return cases + [answer(signature, inputs) for inputs in (uneven, matrix, less)]


def ranking(query, candidate, films, viewers):
    """Every viewer's embedding, and the ten films of the highest cosine among all."""
    items = candidate(**batch(films, sorted(candidate.structured_input_signature[1])))['embedding'].numpy()
    people = query(**batch(viewers, sorted(query.structured_input_signature[1])))['embedding'].numpy()
    out = []
    for viewer, embedding in zip(viewers, people):
        scores = items @ embedding
        best = np.argsort(-scores, kind='stable')[:TOP]
        out.append({'viewer': viewer['id'], 'embedding': [plain(v) for v in embedding],
                    'top': [{'id': films[i]['id'], 'score': plain(scores[i])} for i in best]})
    return {'tensorflow': tf.__version__, 'similarity': 'cosine', 'films': len(films), 'viewers': out}


def write(folder, films, viewers):
    query, candidate = (tf.saved_model.load(str(folder / f'{side}_model')).signatures['serving_default']
                        for side in ('query', 'candidate'))
    (folder / 'goldens').mkdir(exist_ok=True)
    for name, content in (
            ('query_model', {'model': 'query_model', 'tensorflow': tf.__version__, 'cases': query_cases(query, viewers)}),
            ('candidate_model', {'model': 'candidate_model', 'tensorflow': tf.__version__,
                                 'cases': candidate_cases(candidate, films)}),
            ('ranking', ranking(query, candidate, films, viewers))):
        text = json.dumps(content, ensure_ascii=False, separators=(',', ':'), allow_nan=False)
        (folder / 'goldens' / f'{name}.json').write_text(text + '\n', 'utf-8')
