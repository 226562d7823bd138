from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mmgraph.errors import InputError
from mmgraph.fusion import CCA, SemanticMatching


def test_like_a_logistic_regression_for_each_modality(pairs):
    images, texts, labels = pairs
    matching = SemanticMatching(9, 5, 3, inverse_penalty=(0.5, 2.0)).fit(images, texts, labels)
    for values, modality, penalty in ((images, "image", 0.5), (texts, "text", 2.0)):
        peer = make_pipeline(StandardScaler(), LogisticRegression(C=penalty, max_iter=5000))
        peer.fit(values.double().numpy(), labels.numpy())
        expected = peer.predict_proba(values.double().numpy())
        np.testing.assert_allclose(matching(values, modality).numpy(), expected, atol=1e-4)


def test_after_a_correlation_the_regressions_see_its_space(pairs):
    images, texts, labels = pairs
    cca = CCA(9, 5, 3, regularisation=0.1)
    matching = SemanticMatching(9, 5, 3, correlation=cca).fit(images, texts, labels)
    mapped = CCA(9, 5, 3, regularisation=0.1).fit(images, texts)(images.double(), "image").numpy()
    peer = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000)).fit(mapped, labels.numpy())
    found = matching(images, "image")
    np.testing.assert_allclose(found.numpy(), peer.predict_proba(mapped), atol=1e-4)
    np.testing.assert_allclose(found.sum(1).numpy(), 1, atol=1e-6)


def test_dot_is_the_probability_of_one_class(pairs):
    images, texts, labels = pairs
    matching = SemanticMatching(9, 5, 3).fit(images, texts, labels)
    p, q = matching(images, "image"), matching(texts, "text")
    same = matching.compare(p, q)
    assert same[3, 5] == pytest.approx(float(sum(p[3, c] * q[5, c] for c in range(3))))


def test_two_classes_and_the_state(pairs):
    images, texts, labels = pairs
    matching = SemanticMatching(9, 5, 2).fit(images, texts, labels.clamp_max(1))
    peer = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000))
    peer.fit(texts.double().numpy(), labels.clamp_max(1).numpy())
    np.testing.assert_allclose(
        matching(texts, "text").numpy(), peer.predict_proba(texts.double().numpy()), atol=1e-4
    )
    loaded = SemanticMatching(9, 5, 2)
    loaded.load_state_dict(matching.state_dict())
    assert torch.equal(loaded(texts, "text"), matching(texts, "text"))


@pytest.mark.parametrize("labels", [[0, 1, 1, 0], [0, 1, 3, 2], [-1, 0, 1, 2]])
def test_every_class_needs_items_and_no_other_may_come(pairs, labels):
    images, texts, _ = pairs
    with pytest.raises(InputError, match="labels from 0 to 2"):
        SemanticMatching(9, 5, 3).fit(images[:4], texts[:4], torch.tensor(labels))


def test_what_does_not_fit_is_refused(pairs):
    images, texts, labels = pairs
    with pytest.raises(InputError, match="for each image"):
        SemanticMatching(9, 5, 3).fit(images, texts, labels[1:])
    with pytest.raises(InputError, match="whole numbers"):
        SemanticMatching(9, 5, 3).fit(images, texts, labels.float())
    with pytest.raises(InputError, match="two classes"):
        SemanticMatching(9, 5, 1)
