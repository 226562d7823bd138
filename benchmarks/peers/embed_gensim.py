"""gensim's skip-gram over walks that are there already, as lists of words in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from embedding import SETTINGS, measure
from gensim.models import Word2Vec


def warm_up() -> None:
    Word2Vec([["a", "b"]] * 9, sg=1, min_count=0, epochs=1)


def prepare(folder: Path, threads: int, walks_per_node: int) -> Callable[[], tuple[np.ndarray, int]]:
    walks = np.load(folder / "walks.npy", mmap_mode="r")
    nodes = int(walks.max()) + 1
    walks = walks[: nodes * walks_per_node]
    name = [str(node) for node in range(nodes)]
    sentences = [[name[node] for node in walk if node >= 0] for walk in walks]
    tokens = sum(map(len, sentences))

    def embed() -> tuple[np.ndarray, int]:
        model = Word2Vec(
            sentences,
            vector_size=SETTINGS["dimensions"],
            window=SETTINGS["window"],
            negative=SETTINGS["negatives"],
            sg=1,
            min_count=0,
            sample=0,
            epochs=1,
            workers=threads,
        )
        return model.wv[name], tokens

    return embed


if __name__ == "__main__":
    measure(warm_up, prepare)
