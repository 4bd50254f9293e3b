"""Peers of bench/ann/run.mjs in Python: a JSON line in, one out.

    {"build": NAME, "folder": FOLDER}            {"version", "seconds", "bytes", "settings": [...]}
    {"search": SETTING, "k": 10, "rounds": 1}    {"rows": [[...], ...], "milliseconds": per query, one query a call}

By what the Python has of faiss-cpu and scann; both use one thread. What was built lies in FOLDER/built, as kept.mjs has it.
"""
import json
import os
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ[name] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np


def kept(folder, name, build, save, load):
    """An index beside the vectors, the seconds of a core that building it took, and its bytes."""
    path = os.path.join(folder, "built", name)
    if not os.path.exists(path + ".json"):
        os.makedirs(path, exist_ok=True)
        start = time.process_time()
        index = build()
        seconds = time.process_time() - start
        save(index, path)
        with open(path + ".json", "w") as file:
            json.dump({"seconds": seconds}, file)
    seconds = json.load(open(path + ".json"))["seconds"]
    return load(path), seconds, sum(file.stat().st_size for file in os.scandir(path))


def kept_faiss(about, name, build):
    import faiss

    faiss.omp_set_num_threads(1)
    file = lambda path: os.path.join(path, "index")
    save = lambda index, path: faiss.write_index(index, file(path))
    return kept(about["folder"], f"{name}-{faiss.__version__}", build, save, lambda path: faiss.read_index(file(path)))


def faiss_metric(about):
    import faiss

    return faiss.METRIC_L2 if about["metric"] == "euclidean" else faiss.METRIC_INNER_PRODUCT


def faiss_ivfpq(items, about, turned=""):
    """Product codes of four bits for two numbers, then exact."""
    import faiss

    width = items.shape[1]
    factory = f"{turned}IVF{about['leaves']},PQ{width // 2}x4fs,RFlat"

    def build():
        index = faiss.index_factory(width, factory, faiss_metric(about))
        inner = faiss.extract_index_ivf(index.base_index)
        inner.cp.max_points_per_centroid, inner.cp.niter = 32, 8
        index.train(items)
        index.add(items)
        return index

    index, seconds, size = kept_faiss(about, f"faiss-{factory}", build)
    settings = [{"nprobe": nprobe, "k_factor": factor} for factor in (10, 20, 40) for nprobe in (8, 16, 32, 64, 128, 256, 512)]

    def search(queries, k, nprobe, k_factor):
        base = faiss.SearchParametersIVF(nprobe=nprobe)
        if turned:
            base = faiss.SearchParametersPreTransform(index_params=base)
        return index.search(
            queries, k, params=faiss.IndexRefineSearchParameters(k_factor=k_factor, base_index_params=base)
        )[1]

    return {"version": faiss.__version__, "seconds": seconds, "bytes": size, "settings": settings}, search


def faiss_opq(items, about):
    """The same with the numbers turned before they are coded."""
    return faiss_ivfpq(items, about, turned=f"OPQ{items.shape[1] // 2},")


def faiss_hnsw(items, about):
    import faiss

    edges, built_with = 16, 100
    # As distances.mjs says of a sorted catalogue.
    order = np.random.default_rng(7).permutation(len(items)) if about.get("sorted") else np.arange(len(items))
    width = items.shape[1] + (about["metric"] == "dot")

    def build():
        rows = items
        if about["metric"] == "dot":
            # As distances.mjs says.
            squares = (items.astype("f8") ** 2).sum(1)
            rows = np.hstack([items, np.sqrt(squares.max() - squares)[:, None].astype("f4")])
        metric = faiss.METRIC_INNER_PRODUCT if about["metric"] == "cosine" else faiss.METRIC_L2
        index = faiss.IndexHNSWFlat(width, edges, metric)
        index.hnsw.efConstruction = built_with
        index.add(rows[order])
        return index

    index, seconds, size = kept_faiss(about, f"faiss-HNSW-{edges}-{built_with}", build)
    settings = [{"ef": ef} for ef in (16, 32, 64, 128, 256, 512)]

    def search(queries, k, ef):
        longer = np.pad(queries, ((0, 0), (0, width - queries.shape[1])))
        return order[index.search(longer, k, params=faiss.SearchParametersHNSW(efSearch=ef))[1]]

    return {"version": faiss.__version__, "seconds": seconds, "bytes": size, "settings": settings}, search


def scann_tree(items, about):
    import importlib.metadata

    import scann

    version = importlib.metadata.version("scann")

    def build():
        metric = "squared_l2" if about["metric"] == "euclidean" else "dot_product"
        builder = scann.scann_ops_pybind.builder(items, 10, metric).set_n_training_threads(1)
        leaves = about["leaves"]
        builder = builder.tree(num_leaves=leaves, num_leaves_to_search=32, training_sample_size=32 * leaves)
        return builder.score_ah(2, anisotropic_quantization_threshold=0.2).reorder(200).build()

    save = lambda index, path: index.serialize(path)
    index, seconds, size = kept(about["folder"], f"scann-{version}", build, save, scann.scann_ops_pybind.load_searcher)
    settings = [{"leaves": leaves, "reorder": reorder} for reorder in (100, 200, 400) for leaves in (8, 16, 32, 64, 128, 256, 512)]

    def search(queries, k, leaves, reorder):
        asked = {"final_num_neighbors": k, "leaves_to_search": leaves, "pre_reorder_num_neighbors": reorder}
        return [index.search(query, **asked)[0] for query in queries]

    return {"version": version, "seconds": seconds, "bytes": size, "settings": settings}, search


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
                about |= {"folder": asked["folder"], "leaves": int(4 * len(items) ** 0.5)}
                answer, search = PEERS[asked["build"]](items, about)
            else:
                start = time.process_time()
                rows = [search(queries[i : i + 1], asked["k"], **asked["search"])[0] for i in range(len(queries))]
                spent = time.process_time() - start
                answer = {"milliseconds": 1000 * spent / len(queries), "rows": [np.asarray(row).tolist() for row in rows]}
        except ImportError as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


main()
