"""Texts as fixed numbers of features: words counted, weighted, or summed up as topics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.sequence.tokens import Tokenizer

FeatureKind = Literal["counts", "tf-idf", "topics"]


class TextFeatures:
    """Features of texts, learned from some of them; by scikit-learn.

        counts  n_tw, how often word w is in text t
        tf-idf  n_tw (1 + ln((1 + n) / (1 + n_w))), then of length 1; n texts, word w in n_w of them
        topics  θ_t of latent Dirichlet allocation: how much of text t is about each topic; they add up to 1

    A word that no text to learn from has is left out; a text without known words has zeros, and as topics the prior.

    Args:
        kind: which of the three.
        size: most frequent words at most; none takes all.
        minimum_texts: how many texts a word has to be in.
        topics: how many.
        tokenizer: what cuts texts into words; lower-case words by default.
        seed: of the topics.

    Shapes:
        `transform` (texts, size or topics) float32.

    Raises:
        UnknownNameError: there is no such kind.
        InputError: there are no topics, or no text to learn from has a word.

    Source: Salton & Buckley 1988; Blei, Ng & Jordan, Latent Dirichlet Allocation, JMLR 2003.
    """

    def __init__(
        self,
        kind: FeatureKind = "tf-idf",
        *,
        size: int | None = None,
        minimum_texts: int = 1,
        topics: int = 10,
        tokenizer: Tokenizer | None = None,
        seed: int = 0,
    ) -> None:
        if kind not in get_args(FeatureKind):
            raise UnknownNameError.of("kind of text features", kind, get_args(FeatureKind))
        if topics < 1:
            raise InputError(f"Expected at least one topic, but got {topics}.")
        from sklearn.decomposition import LatentDirichletAllocation
        from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

        self.kind = kind
        words = tokenizer or Tokenizer("words", lowercase=True)
        counter: Any = TfidfVectorizer if kind == "tf-idf" else CountVectorizer
        # With an analyzer scikit-learn neither changes case nor splits by itself.
        self._counter = counter(
            analyzer=words.cut,
            max_features=size,
            min_df=minimum_texts,
            dtype=np.float32 if kind == "tf-idf" else np.int64,
        )
        self._topics = (
            LatentDirichletAllocation(topics, random_state=seed % 2**32) if kind == "topics" else None
        )

    def fit(self, texts: Sequence[str]) -> TextFeatures:
        """Learn words, weights and topics."""
        _check(texts)
        try:
            counts = self._counter.fit_transform(texts)
        except ValueError as error:
            raise InputError(
                f"Expected texts with words in them to learn from, but got none ({error})."
            ) from error
        if self._topics is not None:
            self._topics.fit(counts)
        return self

    def transform(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Features of texts."""
        _check(texts)
        counts = self._counter.transform(texts) if texts else np.zeros((0, len(self.words)))
        if self._topics is None:
            dense = counts if isinstance(counts, np.ndarray) else counts.toarray()
            return np.asarray(dense, dtype=np.float32)
        found = self._topics.transform(counts) if texts else np.zeros((0, self._topics.n_components))
        return np.asarray(found, dtype=np.float32)

    def fit_transform(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Learn, and give the features of the same texts."""
        return self.fit(texts).transform(texts)

    @property
    def words(self) -> tuple[str, ...]:
        """The words, in the order of their features."""
        return tuple(self._counter.get_feature_names_out())

    def words_of_topics(self, count: int = 10) -> tuple[tuple[str, ...], ...]:
        """The words that weigh most in each topic.

        Raises:
            InputError: these features have no topics.
        """
        if self._topics is None:
            raise InputError(f"Expected features of the kind 'topics', but these are '{self.kind}'.")
        words = self.words
        order = np.argsort(-self._topics.components_, axis=1, kind="stable")[:, :count]
        return tuple(tuple(words[place] for place in row) for row in order)


def _check(texts: Sequence[str]) -> None:
    if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
        raise InputError(
            f"Expected a list of texts, but got {type(texts).__name__} with something else in it."
        )
