"""Agreement of rankings, against published values and against counting by hand."""

from __future__ import annotations

import pytest

from migration.compare.boards.agreement import agreement_at, agreements, kendall_tau, rank_biased_overlap


def ranking(*groups: str) -> dict[str, int]:
    """Rank words: those of one group are equals."""
    ranks: dict[str, int] = {}
    for group in groups:
        rank = len(ranks) + 1
        ranks |= dict.fromkeys(group.split(), rank)
    return ranks


# The example that Corsi and Urbano publish with "The Treatment of Ties in Rank-Biased Overlap" (SIGIR 2024,
# https://github.com/julian-urbano/sigir2024-rbo, README of the Python code), variant w.
X = ranking("red", "blue green", "yellow", "pink")
Y = ranking("blue red", "white", "yellow black purple", "green")


def test_rank_biased_overlap_of_a_published_example_with_ties_and_unequal_lengths() -> None:
    assert rank_biased_overlap(X, Y, 0.95) == pytest.approx(0.7068257, abs=5e-8)
    assert rank_biased_overlap(Y, X, 0.95) == pytest.approx(0.7068257, abs=5e-8)


def test_rank_biased_overlap_of_rankings_whose_first_two_are_swapped_is_what_the_first_rank_weighs() -> None:
    # Agreement is 0 at depth 1 and 1 from depth 2 on, so (1 - p) is lost.
    swapped = rank_biased_overlap(ranking(*"abcdefg"), ranking(*"bacdefg"), 0.9)
    assert swapped == pytest.approx(0.9)


@pytest.mark.parametrize("persistence", [0.0, 1.0, -1.0, 2.0])
def test_persistence_is_between_none_and_certainty(persistence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        rank_biased_overlap(X, Y, persistence)


def test_nothing_and_nothing_agree_and_nothing_and_something_do_not() -> None:
    assert rank_biased_overlap({}, {}) == 1.0
    assert rank_biased_overlap({}, X) == 0.0
    assert agreement_at(3, {}, {}) == 1.0
    assert agreements({}, {}) == []


def test_agreement_sees_all_equals_at_the_depth_of_their_rank() -> None:
    # Down to 2: red, blue, green against blue, red.
    assert agreement_at(2, X, Y) == pytest.approx(2 * 2 / (3 + 2))
    assert agreement_at(1, X, Y) == pytest.approx(2 * 1 / (1 + 2))
    assert agreements(X, Y)[:2] == pytest.approx([2 / 3, 4 / 5])


def test_tau_b_of_the_example_in_scipys_documentation() -> None:
    # Its documentation gives -0.47140452079103173 for these two columns.
    one = dict(zip("abcde", [12, 2, 1, 12, 2], strict=True))
    other = dict(zip("abcde", [1, 4, 7, 1, 0], strict=True))
    assert kendall_tau(one, other) == pytest.approx(-0.47140452079103173)


def test_tau_b_is_about_those_that_both_show() -> None:
    assert kendall_tau(ranking("a", "b", "x"), ranking("y", "a", "b")) == 1.0
    assert kendall_tau(ranking("a", "b"), ranking("b", "a")) == -1.0


@pytest.mark.parametrize("other", [{}, ranking("a"), ranking("a b c"), ranking("x", "y")])
def test_tau_b_says_nothing_where_no_pair_is_ordered(other: dict[str, int]) -> None:
    assert kendall_tau(ranking("a", "b", "c"), other) is None
