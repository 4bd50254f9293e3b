"""Times a SavedModel's serving_default in TensorFlow: features as JSON on standard input, one line of JSON out."""

import json
import os
import sys
import time

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
os.environ['CUDA_VISIBLE_DEVICES'] = '-1'

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

try:
    import tensorflow_text  # noqa: F401  registers the tokenizers' ops, where the model has some
except ImportError:
    pass

model, rounds, milliseconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)

loaded = tf.saved_model.load(model)
signature = loaded.signatures['serving_default']
specs = signature.structured_input_signature[1]
features = json.load(sys.stdin)


def call():
    """From Python's lists to a NumPy array, as a service would."""
    tensors = {name: tf.constant(features[name], spec.dtype) for name, spec in specs.items()}
    (embedding,) = signature(**tensors).values()
    return embedding.numpy()


def timed(calls):
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) * 1e6 / calls


each = min(timed(5) for _ in range(10))
calls = max(1, round(milliseconds * 1000 / each))
times = [timed(calls) for _ in range(rounds)]
low, median, high = np.percentile(times, [25, 50, 75])
print()
print(json.dumps({
    'version': tf.__version__,
    'timing': {'median': median, 'low': low, 'high': high, 'rounds': rounds, 'calls': calls},
    'embedding': call()[0].tolist(),
}))
