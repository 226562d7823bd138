"""Stable t-SNE and UMAP beside fresh ones and beside openTSNE, umap-learn and scikit-learn.

    python benchmarks/projections.py [--epochs 6] [--peers FOLDER]

The 1,797 digits move towards the means of their classes, a little at each epoch, a third of them not at all. Each epoch
is laid out anew and from the layout before. Trustworthiness counts 10 neighbours (scikit-learn). Times are processor
seconds in one thread after everything is compiled; the peers' packages are looked for in FOLDER.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness

from mmgraph.analysis import stable_layout

NEIGHBOURS = 10


def last(steps: Iterator[Any]) -> np.ndarray:
    *_, step = steps
    return step.places


def timed(make: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    started = time.process_time()
    return make(), time.process_time() - started


def epochs(count: int) -> Iterator[np.ndarray]:
    """Vectors of each epoch; every third item stays as it is."""
    digits = load_digits()
    vectors, labels = digits.data.astype(np.float32), digits.target
    means = np.stack([vectors[labels == label].mean(axis=0) for label in range(10)])[labels]
    noise = np.random.default_rng(0)
    for epoch in range(count):
        share = 0.6 * epoch / max(count - 1, 1)
        now = (1 - share) * vectors + share * means + noise.normal(scale=0.3, size=vectors.shape)
        now[::3] = vectors[::3]
        yield now.astype(np.float32)


def measure(method: Any, count: int) -> None:
    list(stable_layout(np.eye(40, dtype=np.float32), method))  # compiled and loaded
    places, before = None, None
    print(
        f"{method:<8}{'epoch':>6}{'fresh':>9}{'stable':>9}{'loss':>9}{'moved px':>10}{'fresh s':>9}{'stable s':>10}"
    )
    for epoch, vectors in enumerate(epochs(count)):
        fresh, fresh_seconds = timed(lambda vectors=vectors: last(stable_layout(vectors, method)))
        again = last(stable_layout(vectors, method)) if epoch == 0 else fresh
        if again.tobytes() != fresh.tobytes():
            raise SystemExit(f"{method} is not bit-identical for equal vectors")
        if places is None:
            stable, seconds, moved = fresh, fresh_seconds, 0.0
        else:
            given = {"earlier_vectors": before, "earlier_places": places}
            stable, seconds = timed(
                lambda vectors=vectors, given=given: last(stable_layout(vectors, method, **given))
            )
            still = (vectors == before).all(axis=1)
            scale = 800 / np.ptp(stable, axis=0).max()
            moved = float(scale * np.abs(stable - places)[still].max())
        one = trustworthiness(vectors, fresh, n_neighbors=NEIGHBOURS)
        other = trustworthiness(vectors, stable, n_neighbors=NEIGHBOURS)
        print(
            f"{'':<8}{epoch:>6}{one:>9.4f}{other:>9.4f}{one - other:>9.4f}{moved:>10.3f}"
            f"{fresh_seconds:>9.1f}{seconds:>10.1f}",
            flush=True,
        )
        places, before = stable, vectors


def measure_peers() -> None:
    vectors = next(epochs(1))
    peers: dict[str, Callable[[], np.ndarray]] = {}
    try:
        import openTSNE

        peers["openTSNE"] = lambda: np.asarray(
            openTSNE.TSNE(random_state=0, n_jobs=1).fit(vectors.astype(float))
        )
    except ImportError:
        print("openTSNE is not installed")
    try:
        import umap

        umap.UMAP(n_epochs=2).fit(vectors[:200])  # compiled and loaded
        peers["umap-learn"] = lambda: umap.UMAP(random_state=0, n_jobs=1).fit_transform(vectors)
    except ImportError:
        print("umap-learn is not installed")
    from sklearn.manifold import TSNE

    peers["scikit-learn t-SNE"] = lambda: TSNE(init="pca", random_state=0).fit_transform(vectors)
    for name, make in peers.items():
        places, seconds = timed(make)
        shown = trustworthiness(vectors, places, n_neighbors=NEIGHBOURS)
        print(f"{name:<24}{shown:>8.4f}{seconds:>8.1f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--peers", help="a folder with the packages of the peers")
    given = parser.parse_args()
    if given.peers:
        sys.path.append(given.peers)
    for method in ("t-SNE", "UMAP"):
        measure(method, given.epochs)
    measure_peers()


if __name__ == "__main__":
    main()
