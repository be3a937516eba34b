"""How much two rankings agree, as numbers: overlap at a depth, rank-biased overlap, Kendall's tau-b.

A ranking is its ids by rank as a board shows them: equals share a rank (1, 2, 2, 4), so all of them are seen
at the depth of that rank. Nothing here knows points or sides.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

PERSISTENCE: Final = 0.9
Ranking = dict[str, int]  # rank by id, best first


def agreement_at(depth: int, one: Mapping[str, int], other: Mapping[str, int]) -> float:
    """Tell which share of what both rankings show down to a depth is the same, from 0 to 1.

    Twice the common ids over all shown ids (equation 28 of Webber et al. 2010, who allow for ties so); 1 when
    neither shows any.
    """
    shown = [{name for name, rank in ranking.items() if rank <= depth} for ranking in (one, other)]
    total = sum(map(len, shown))
    return 2 * len(shown[0] & shown[1]) / total if total else 1.0


def agreements(one: Mapping[str, int], other: Mapping[str, int]) -> list[float]:
    """Tell the agreement at every depth down to the end of the longer ranking."""
    return [2 * common / (left + right) for common, left, right in _seen(one, other)]


def rank_biased_overlap(
    one: Mapping[str, int], other: Mapping[str, int], persistence: float = PERSISTENCE
) -> float:
    """Tell how alike two rankings are when their tops matter most: 1 the same, 0 nothing in common.

    A reader looks at the first rank and goes on to each next one with probability `persistence`; this is the
    agreement that they can expect to see. What lies below the shorter ranking is extrapolated from the
    agreement at its end: RBO_EXT of W. Webber, A. Moffat, J. Zobel, "A similarity measure for indefinite
    rankings", ACM TOIS 28(4), 2010, in the variant w of M. Corsi, J. Urbano, "The treatment of ties in
    rank-biased overlap", SIGIR 2024: ties mean equality.

    Args:
        one: rank by id; equals share a rank.
        other: likewise; may have another length.
        persistence: between 0 and 1, both excluded; at 0.9 the first ten ranks have 86 % of the weight.
    """
    if not 0 < persistence < 1:
        raise ValueError(f"persistence must be between 0 and 1, not {persistence}")
    shorter, longer = sorted((len(one), len(other)))
    if shorter == 0:
        return float(longer == 0)
    at_depth = list(_seen(one, other))
    common, left, right = at_depth[shorter - 1]
    at_end = 2 * common / (left + right)
    expected = 0.0
    for depth, (common, left, right) in enumerate(at_depth, start=1):
        beyond = max(depth - shorter, 0)
        seen = left + right + beyond
        expected += (2 * (common + beyond * at_end) / seen) * persistence ** (depth - 1)
    beyond_both = (at_depth[-1][0] + (longer - shorter) * at_end) / longer
    overlap = (1 - persistence) * expected + beyond_both * persistence**longer
    return min(max(overlap, 0.0), 1.0)  # rounding can leave it a hair outside


def kendall_tau(one: Mapping[str, int], other: Mapping[str, int]) -> float | None:
    """Tell whether pairs of the ids that both rankings show are in the same order: 1 all, -1 none.

    Tau-b: pairs that are tied on a side are taken out of that side's count (W. R. Knight, "A computer method
    for calculating Kendall's tau with ungrouped data", JASA 61, 1966). None when a side orders no pair.
    """
    pairs = sorted((one[name], other[name]) for name in one.keys() & other.keys())
    count = math.comb(len(pairs), 2)
    tied_one, tied_other = (_tied(ranks) for ranks in ([p[0] for p in pairs], [p[1] for p in pairs]))
    if count in (tied_one, tied_other):
        return None
    discordant = _inversions([rank for _, rank in pairs])
    concordant = count - tied_one - tied_other + _tied(pairs) - discordant
    tau = (concordant - discordant) / math.sqrt((count - tied_one) * (count - tied_other))
    return min(max(tau, -1.0), 1.0)


def _seen(one: Mapping[str, int], other: Mapping[str, int]) -> Iterator[tuple[int, int, int]]:
    """Count, depth by depth, the ids that both show, that one shows, and that the other shows."""
    arriving = [Counter(ranking.values()) for ranking in (one, other)]
    arriving.append(Counter(max(one[name], other[name]) for name in one.keys() & other.keys()))
    left = right = common = 0
    for depth in range(1, max(len(one), len(other)) + 1):
        left, right, common = (
            left + arriving[0][depth],
            right + arriving[1][depth],
            common + arriving[2][depth],
        )
        yield common, left, right


def _tied(values: Iterable[object]) -> int:
    return sum(math.comb(count, 2) for count in Counter(values).values())


def _inversions(ranks: Sequence[int]) -> int:
    """Count pairs whose first is greater than its second."""
    before: list[int] = []
    count = 0
    for rank in ranks:
        count += len(before) - bisect_right(before, rank)
        insort(before, rank)
    return count
