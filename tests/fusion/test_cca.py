from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import eigh
from sklearn import cross_decomposition

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.fusion import CCA


def oracle(x, y, components, rho):
    """Canonical directions as eigenvectors of the generalised problem, in plain NumPy."""
    x, y = ((v - v.mean(0)) / v.std(0) for v in (x, y))
    n, d, e = len(x), x.shape[1], y.shape[1]
    cxx = x.T @ x / n + rho[0] * np.eye(d)
    cyy = y.T @ y / n + rho[1] * np.eye(e)
    cross = np.zeros((d + e, d + e))
    cross[:d, d:] = x.T @ y / n
    cross[d:, :d] = cross[:d, d:].T
    own = np.zeros_like(cross)
    own[:d, :d], own[d:, d:] = cxx, cyy
    values, vectors = eigh(cross, own)
    order = np.argsort(-values)[:components]
    scale = np.sqrt(2)
    return values[order], x @ vectors[:d, order] * scale, y @ vectors[d:, order] * scale


@pytest.mark.parametrize("rho", [(0.0, 0.0), (0.3, 0.05), (2.0, 2.0)])
def test_like_the_generalised_eigenvalue_problem(pairs, rho):
    images, texts, labels = pairs
    cca = CCA(9, 5, 3, regularisation=rho).fit(images, texts, labels)
    values, a, b = oracle(images.double().numpy(), texts.double().numpy(), 3, rho)
    np.testing.assert_allclose(cca.correlations.numpy(), values, atol=1e-8)
    for found, expected in ((cca(images, "image"), a), (cca(texts, "text"), b)):
        signs = np.sign((found.numpy() * expected).sum(0))
        np.testing.assert_allclose(found.numpy(), expected * signs, atol=2e-5)


def test_like_scikit_learn_without_regularisation(pairs):
    images, texts, labels = (v.double() for v in pairs)
    cca = CCA(9, 5, 2, regularisation=0.0).fit(images, texts, labels.long())
    peer = cross_decomposition.CCA(2, max_iter=10_000, tol=1e-12).fit(images.numpy(), texts.numpy())
    x, y = peer.transform(images.numpy(), texts.numpy())
    for mine, other in ((cca(images, "image"), x), (cca(texts, "text"), y)):
        for component in range(2):
            assert abs(np.corrcoef(mine[:, component].numpy(), other[:, component])[0, 1]) > 1 - 1e-6
    correlations = [np.corrcoef(x[:, k], y[:, k])[0, 1] for k in range(2)]
    np.testing.assert_allclose(cca.correlations.numpy(), correlations, atol=1e-6)


def test_the_map_is_in_the_state(pairs):
    images, texts, labels = pairs
    fitted = CCA(9, 5, 3).fit(images, texts, labels)
    loaded = CCA(9, 5, 3)
    loaded.load_state_dict(fitted.state_dict())
    assert torch.equal(loaded(images, "image"), fitted(images, "image"))
    assert fitted(images, "image").dtype == torch.float32
    assert fitted.compare(fitted(texts, "text"), fitted(images, "image")).shape == (120, 120)


def test_a_constant_feature_is_no_direction(pairs):
    images, texts, labels = pairs
    images[:, 4] = 7.0
    assert CCA(9, 5, 3, regularisation=0.1).fit(images, texts, labels)(images, "image").isfinite().all()
    with pytest.raises(InputError, match="regularisation > 0"):
        CCA(9, 5, 3, regularisation=0.0).fit(images, texts, labels)


def test_fewer_pairs_than_features_need_regularisation(pairs):
    images, texts, labels = (v[:6] for v in pairs)
    with pytest.raises(InputError, match="regularisation > 0"):
        CCA(9, 5, 3, regularisation=0.0).fit(images, texts, labels)
    assert CCA(9, 5, 3).fit(images, texts, labels)(images, "image").shape == (6, 3)


def test_what_does_not_fit_is_refused(pairs):
    images, texts, labels = pairs
    with pytest.raises(InputError, match="120 images, 119 texts"):
        CCA(9, 5, 3).fit(images, texts[:-1], labels)
    with pytest.raises(InputError, match="at least 2"):
        CCA(9, 5, 3).fit(images[:1], texts[:1], labels[:1])
    with pytest.raises(InputError, match="1 to 5 components"):
        CCA(9, 5, 6)
    with pytest.raises(InputError, match="at least 0"):
        CCA(9, 5, 3, regularisation=-1.0)
    with pytest.raises(InputError, match="9 features"):
        CCA(9, 5, 3).fit(texts, texts, labels)
    images[7, 2] = torch.nan
    with pytest.raises(InputError, match="row 7"):
        CCA(9, 5, 3).fit(images, texts, labels)
    with pytest.raises(UnknownNameError, match="modality 'sound'"):
        CCA(9, 5, 3)(texts, "sound")
    with pytest.raises(UnknownNameError, match="similarity"):
        CCA(9, 5, 3, similarity="angle")
