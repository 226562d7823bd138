"""Metric learning: distances, losses, miners, Siamese networks and how well they retrieve.

Names are imported when they are first used, so `import mmgraph.metric` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmgraph.lazy_names import lazy_names

if TYPE_CHECKING:
    from mmgraph.metric.angular_margin import AngularMarginLoss
    from mmgraph.metric.batch_losses import (
        info_nce_loss,
        multi_similarity_loss,
        nt_xent_loss,
        prototypes,
        prototypical_loss,
    )
    from mmgraph.metric.distances import Distance
    from mmgraph.metric.episode_learning import episode_loss
    from mmgraph.metric.episodes import Episode, EpisodeSampler, episode_accuracy, mean_and_interval
    from mmgraph.metric.metric_loss import MetricLoss
    from mmgraph.metric.mining import mine_embeddings, mine_triplets, pairs_of
    from mmgraph.metric.pair_lists import PairSampler, read_pairs
    from mmgraph.metric.pair_losses import contrastive_loss, hinge_embedding_loss
    from mmgraph.metric.retrieval import clustering_score, retrieval_scores
    from mmgraph.metric.sampling import ClassBalancedSampler
    from mmgraph.metric.score_pairs import score_bins, score_pair_loss
    from mmgraph.metric.selection import Pairs, Triplets, all_pairs, all_triplets
    from mmgraph.metric.siamese import Siamese
    from mmgraph.metric.triplet_losses import distance_ratio_loss, triplet_loss
    from mmgraph.metric.verification import Verification, verify

__all__ = [
    "AngularMarginLoss",
    "ClassBalancedSampler",
    "Distance",
    "Episode",
    "EpisodeSampler",
    "MetricLoss",
    "PairSampler",
    "Pairs",
    "Siamese",
    "Triplets",
    "Verification",
    "all_pairs",
    "all_triplets",
    "clustering_score",
    "contrastive_loss",
    "distance_ratio_loss",
    "episode_accuracy",
    "episode_loss",
    "hinge_embedding_loss",
    "info_nce_loss",
    "mean_and_interval",
    "mine_embeddings",
    "mine_triplets",
    "multi_similarity_loss",
    "nt_xent_loss",
    "pairs_of",
    "prototypes",
    "prototypical_loss",
    "read_pairs",
    "retrieval_scores",
    "score_bins",
    "score_pair_loss",
    "triplet_loss",
    "verify",
]

_HOME = {
    "AngularMarginLoss": "angular_margin",
    "ClassBalancedSampler": "sampling",
    "Distance": "distances",
    "Episode": "episodes",
    "EpisodeSampler": "episodes",
    "MetricLoss": "metric_loss",
    "PairSampler": "pair_lists",
    "Pairs": "selection",
    "Siamese": "siamese",
    "Triplets": "selection",
    "Verification": "verification",
    "all_pairs": "selection",
    "all_triplets": "selection",
    "clustering_score": "retrieval",
    "contrastive_loss": "pair_losses",
    "distance_ratio_loss": "triplet_losses",
    "episode_accuracy": "episodes",
    "episode_loss": "episode_learning",
    "hinge_embedding_loss": "pair_losses",
    "info_nce_loss": "batch_losses",
    "mean_and_interval": "episodes",
    "mine_embeddings": "mining",
    "mine_triplets": "mining",
    "multi_similarity_loss": "batch_losses",
    "nt_xent_loss": "batch_losses",
    "pairs_of": "mining",
    "prototypes": "batch_losses",
    "prototypical_loss": "batch_losses",
    "read_pairs": "pair_lists",
    "retrieval_scores": "retrieval",
    "score_bins": "score_pairs",
    "score_pair_loss": "score_pairs",
    "triplet_loss": "triplet_losses",
    "verify": "verification",
}

__getattr__, __dir__ = lazy_names(__name__, _HOME)
