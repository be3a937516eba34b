"""An anytime-valid test of two rates: is the pipeline's above legacy's by more than a margin?

    e = ∫ likelihood(rates) prior(rates) / max { likelihood(rates) : pipeline's ≤ legacy's + margin }

By universal inference (Wasserman, Ramdas and Balakrishnan 2020) e is an e-process: while the pipeline is no
worse, the chance that e *ever* reaches 1/alpha is at most alpha (Ville's inequality), however often one looks
and whenever one stops. It needs no large numbers, nothing about the order in which the two sides answer, and
no more than four counts, so every look can compute it anew. The priors are bets on what a bad pipeline looks
like: they cost power where they are wrong, and never validity.
"""

from __future__ import annotations

from math import exp, inf, lgamma, log
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migration.door.share import Share

_HALVINGS: Final = 40  # to 1e-12, where the likelihood is flat
# Beta distributions: of the pipeline's rate anything (Jeffreys), of legacy's rather a small one.
_PIPELINE: Final = (0.5, 0.5)
_LEGACY: Final = (0.5, 20.0)


def log_e(pipeline: Share, legacy: Share | None, margin: float) -> float:
    """Give ln e of "the pipeline's rate is above legacy's by more than the margin".

    Without legacy: of "the pipeline's rate is above the margin".
    """
    if legacy is None:
        held = min(pipeline.rate, margin)
        return _mixture(pipeline, *_PIPELINE) - _log_likelihood(pipeline, held)
    mixed = _mixture(pipeline, *_PIPELINE) + _mixture(legacy, *_LEGACY)
    if pipeline.rate <= legacy.rate + margin:
        return mixed - _log_likelihood(pipeline, pipeline.rate) - _log_likelihood(legacy, legacy.rate)
    rate = _likeliest(pipeline, legacy, margin)
    return mixed - _log_likelihood(pipeline, rate + margin) - _log_likelihood(legacy, rate)


def log_mean(weighted: Iterable[tuple[float, float]]) -> float:
    """Give ln Σ weight · e of pairs (ln weight, ln e); an e-process if the weights add up to 1 at most."""
    terms = [weight + value for weight, value in weighted]
    highest = max(terms, default=-inf)
    return highest if highest == -inf else highest + log(sum(exp(one - highest) for one in terms))


def _likeliest(pipeline: Share, legacy: Share, margin: float) -> float:
    """Find legacy's likeliest rate where the pipeline's is exactly `margin` above it.

    The log-likelihood is concave in the rate, so its slope changes sign once.
    """
    low, high = 0.0, 1.0 - margin
    hits, good = pipeline.hits, pipeline.of - pipeline.hits
    legacy_hits, legacy_good = legacy.hits, legacy.of - legacy.hits
    for _ in range(_HALVINGS):
        rate = (low + high) / 2
        moved = rate + margin
        if hits / moved + legacy_hits / rate > good / (1 - moved) + legacy_good / (1 - rate):
            low = rate
        else:
            high = rate
    return (low + high) / 2


def _log_likelihood(share: Share, rate: float) -> float:
    hits, misses = share.hits, share.of - share.hits
    return (hits * _ln(rate) if hits else 0.0) + (misses * _ln(1 - rate) if misses else 0.0)


def _ln(value: float) -> float:
    return log(value) if value > 0 else -inf


def _mixture(share: Share, first: float, second: float) -> float:
    return _ln_beta(first + share.hits, second + share.of - share.hits) - _ln_beta(first, second)


def _ln_beta(first: float, second: float) -> float:
    return lgamma(first) + lgamma(second) - lgamma(first + second)
