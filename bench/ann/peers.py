"""Peers of bench/ann/run.mjs in Python: a JSON line in, one out.

    {"build": NAME, "folder": FOLDER}            {"version", "seconds", "bytes", "settings": [...]}
    {"search": SETTING, "k": 10, "rounds": 1}    {"rows": [[...], ...], "milliseconds": per query, one query a call}

By what the Python has of faiss-cpu and scann; both use one thread.
"""
import json
import os
import sys
import tempfile
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ[name] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np


def faiss_metric(about):
    import faiss

    return faiss.METRIC_L2 if about["metric"] == "euclidean" else faiss.METRIC_INNER_PRODUCT


def faiss_ivfpq(items, about, turned=""):
    """Product codes of four bits for two numbers, then exact."""
    import faiss

    faiss.omp_set_num_threads(1)
    pairs = items.shape[1] // 2
    index = faiss.index_factory(
        items.shape[1], f"{turned}IVF{about['leaves']},PQ{pairs}x4fs,RFlat", faiss_metric(about)
    )
    inner = faiss.extract_index_ivf(index.base_index)
    inner.cp.max_points_per_centroid, inner.cp.niter = 32, 8
    index.train(items)
    index.add(items)
    settings = [{"nprobe": nprobe, "k_factor": factor} for factor in (10, 20, 40) for nprobe in (4, 8, 16, 32, 64, 128, 256)]

    def search(queries, k, nprobe, k_factor):
        base = faiss.SearchParametersIVF(nprobe=nprobe)
        if turned:
            base = faiss.SearchParametersPreTransform(index_params=base)
        return index.search(
            queries, k, params=faiss.IndexRefineSearchParameters(k_factor=k_factor, base_index_params=base)
        )[1]

    return faiss.__version__, settings, search, lambda: faiss.serialize_index(index).nbytes


def faiss_opq(items, about):
    """The same with the numbers turned before they are coded."""
    return faiss_ivfpq(items, about, turned=f"OPQ{items.shape[1] // 2},")


def faiss_hnsw(items, about):
    import faiss

    faiss.omp_set_num_threads(1)
    if about["metric"] == "dot":
        # As distances.mjs says.
        squares = (items.astype("f8") ** 2).sum(1)
        items = np.hstack([items, np.sqrt(squares.max() - squares)[:, None].astype("f4")])
    index = faiss.IndexHNSWFlat(items.shape[1], 16, faiss.METRIC_INNER_PRODUCT if about["metric"] == "cosine" else faiss.METRIC_L2)
    index.hnsw.efConstruction = 100
    index.add(items)
    settings = [{"ef": ef} for ef in (16, 32, 64, 128, 256, 512)]

    def search(queries, k, ef):
        longer = np.pad(queries, ((0, 0), (0, items.shape[1] - queries.shape[1])))
        return index.search(longer, k, params=faiss.SearchParametersHNSW(efSearch=ef))[1]

    return faiss.__version__, settings, search, lambda: faiss.serialize_index(index).nbytes


def scann_tree(items, about):
    import importlib.metadata

    import scann

    builder = scann.scann_ops_pybind.builder(items, 10, "squared_l2" if about["metric"] == "euclidean" else "dot_product").set_n_training_threads(1)
    builder = builder.tree(num_leaves=about["leaves"], num_leaves_to_search=32, training_sample_size=32 * about["leaves"])
    index = builder.score_ah(2, anisotropic_quantization_threshold=0.2).reorder(200).build()
    settings = [{"leaves": leaves, "reorder": reorder} for reorder in (100, 200, 400) for leaves in (4, 8, 16, 32, 64, 128, 256)]

    def search(queries, k, leaves, reorder):
        asked = {"final_num_neighbors": k, "leaves_to_search": leaves, "pre_reorder_num_neighbors": reorder}
        return [index.search(query, **asked)[0] for query in queries]

    def saved():
        with tempfile.TemporaryDirectory() as folder:
            index.serialize(folder)
            return sum(file.stat().st_size for file in os.scandir(folder))

    return importlib.metadata.version("scann"), settings, search, saved


PEERS = {"FAISS IVF-PQ fastscan": faiss_ivfpq, "FAISS OPQ + IVF-PQ fastscan": faiss_opq, "FAISS HNSW": faiss_hnsw, "ScaNN": scann_tree}


def main():
    search = None
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if "build" in asked:
                about = json.load(open(os.path.join(asked["folder"], "about.json")))
                read = lambda name: np.fromfile(os.path.join(asked["folder"], name), "<f4").reshape(-1, about["width"])
                items, queries = read("items.f32"), read("queries.f32")[: asked["queries"]]
                if about["metric"] == "cosine":
                    items, queries = (x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12) for x in (items, queries))
                # As many as twotower makes.
                about["leaves"] = int(4 * len(items) ** 0.5)
                start = time.process_time()
                version, settings, search, saved = PEERS[asked["build"]](items, about)
                seconds = time.process_time() - start
                answer = {"version": version, "seconds": seconds, "bytes": saved(), "settings": settings}
            else:
                start = time.process_time()
                rows = [search(queries[i : i + 1], asked["k"], **asked["search"])[0] for i in range(len(queries))]
                spent = time.process_time() - start
                answer = {"milliseconds": 1000 * spent / len(queries), "rows": [np.asarray(row).tolist() for row in rows]}
        except ImportError as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


main()
