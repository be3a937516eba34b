"""How traffic moved, as a picture: the pipeline's share of writes and reads over time, and every way back.

Time is to scale, but for legs that would be too narrow to be seen: each is at least so wide. It is drawn
from a certificate's JSON, so that whoever has the certificate can draw it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from migration.report.markup import Markup, element

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

WIDTH, HEIGHT = 960, 300
LEFT, RIGHT, TOP, BOTTOM = 48, 16, 44, 66
NARROWEST: Final = 24.0
LABEL: Final = 62.0  # that a time's text takes
LETTER: Final = 8.5


def weights_plot(legs: Sequence[Mapping[str, Any]], drills: Sequence[Mapping[str, Any]], end: str) -> Markup:
    """Draw the legs until `end`; there is at least one."""
    axis = _Axis.of([leg["at"] for leg in legs], end)
    return element(
        "svg",
        *_grid(),
        *_stages(legs, axis),
        *_times(axis),
        _area(legs, axis),
        element("path", class_="curve first", d=_steps(legs, axis, "writes")),
        element("path", class_="curve second", d=_steps(legs, axis, "reads")),
        *(_way_back(leg, axis) for leg in legs if leg["rollback"]),
        *(_rehearsal(drill, axis) for drill in drills),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=_said(legs, drills),
    )


@dataclass(frozen=True, slots=True)
class _Axis:
    """Where times are, from left to right."""

    times: Sequence[float]
    places: Sequence[float]

    @classmethod
    def of(cls, starts: Sequence[str], end: str) -> _Axis:
        times = [_epoch(at) for at in starts]
        times.append(max(_epoch(end), times[-1] + 1))
        durations = [max(later - earlier, 0.0) for earlier, later in pairwise(times)]
        room = WIDTH - LEFT - RIGHT
        narrowest = min(NARROWEST, room / len(durations))
        scale = (room - narrowest * len(durations)) / (sum(durations) or 1)
        places = [float(LEFT)]
        for duration in durations:
            places.append(places[-1] + narrowest + duration * scale)
        return cls(times, places)

    def at(self, text: str) -> float:
        """Place a time, also between two legs."""
        moment = min(max(_epoch(text), self.times[0]), self.times[-1])
        legs = pairwise(zip(self.times, self.places, strict=True))
        for (began, left), (ended, right) in legs:
            if moment <= ended:
                return left + (right - left) * (moment - began) / ((ended - began) or 1)
        return self.places[-1]


def _y(percent: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * percent / 100


def _grid() -> Iterator[Markup]:
    for percent in (0, 25, 50, 75, 100):
        yield element("path", class_="grid", d=f"M{LEFT} {_y(percent):.1f}H{WIDTH - RIGHT}")
        yield _text(LEFT - 8, _y(percent), f"{percent} %", "end")


def _stages(legs: Sequence[Mapping[str, Any]], axis: _Axis) -> Iterator[Markup]:
    """Draw a strip of stages above the plot."""
    first = 0
    for index, leg in enumerate(legs):
        following = legs[index + 1]["stage"] if index + 1 < len(legs) else None
        if following == leg["stage"]:
            continue
        left, right = axis.places[first], axis.places[index + 1]
        first = index + 1
        fits = right - left > LETTER * len(leg["stage"])
        box = {
            "x": f"{left:.1f}",
            "y": 8,
            "width": f"{max(right - left - 1.5, 1):.1f}",
            "height": 22,
            "rx": 4,
        }
        title = element("title", f"{leg['stage']} from {leg['at']}")
        name = _text((left + right) / 2, 19, leg["stage"], "middle", "stage-name") if fits else Markup("")
        yield element("g", title, element("rect", **box), name, class_="stage", data_stage=leg["stage"])


def _times(axis: _Axis) -> Iterator[Markup]:
    """Write the times of moves under the plot, where there is room, and the last."""
    last = axis.places[-1]
    before = float("-inf")
    day = ""
    for time, place in zip(axis.times, axis.places, strict=True):
        moment = datetime.fromtimestamp(time, UTC)
        yield element("path", class_="axis", d=f"M{place:.1f} {_y(0):.1f}v4")
        if place - before < LABEL or (place != last and last - place < 1.5 * LABEL):
            continue
        anchor = "start" if place == LEFT else "end" if place == last else "middle"
        before = place + (LABEL / 2 if anchor == "start" else 0)
        yield _text(place, _y(0) + 15, f"{moment:%H:%M:%S}", anchor)
        if f"{moment:%m-%d}" != day:
            day = f"{moment:%m-%d}"
            yield _text(place, _y(0) + 30, f"{moment:%Y-%m-%d}", anchor)


def _steps(legs: Sequence[Mapping[str, Any]], axis: _Axis, path: str) -> str:
    parts = [f"M{axis.places[0]:.1f} {_y(legs[0][path]):.1f}"]
    for index, leg in enumerate(legs):
        parts.append(f"V{_y(leg[path]):.1f}H{axis.places[index + 1]:.1f}")
    return "".join(parts)


def _area(legs: Sequence[Mapping[str, Any]], axis: _Axis) -> Markup:
    path = f"{_steps(legs, axis, 'writes')}V{_y(0):.1f}H{LEFT}Z"
    return element("path", class_="area", d=path)


def _way_back(leg: Mapping[str, Any], axis: _Axis) -> Markup:
    place = axis.at(leg["at"])
    settled = "" if leg["settled_s"] is None else f", everywhere after {leg['settled_s']:.1f} s"
    title = element(
        "title", f"Rolled back {leg['at']} from {leg['was']} to {leg['text']}{settled}. {leg['cause']}"
    )
    line = element("path", class_="back", d=f"M{place:.1f} {TOP - 8}V{_y(0):.1f}")
    arrow = f"M{place - 6:.1f} {TOP - 12}h12l-6 10Z"
    return element("g", title, line, element("path", class_="back-mark", d=arrow))


def _rehearsal(drill: Mapping[str, Any], axis: _Axis) -> Markup:
    place, level = axis.at(drill["at"]), HEIGHT - 14
    seconds = "" if drill["seconds"] is None else f" in {drill['seconds']:.1f} s"
    how = "well" if drill["ok"] else "not well"
    title = element("title", f"Rehearsed {drill['at']}, {drill['path']}: went {how}{seconds}")
    mark = f"M{place:.1f} {level - 7}l7 7l-7 7l-7 -7Z"
    kind = "drill" if drill["ok"] else "drill failed"
    return element("g", title, element("path", class_=kind, d=mark))


def _said(legs: Sequence[Mapping[str, Any]], drills: Sequence[Mapping[str, Any]]) -> str:
    backs, last = sum(leg["rollback"] for leg in legs), legs[-1]
    return (
        f"Share of traffic that the pipeline answers, in {len(legs)} moves from {legs[0]['at']}: at last "
        f"{last['writes']:g} % of writes and {last['reads']:g} % of reads. {backs} rollbacks, "
        f"{len(drills)} rehearsals. The table below has all of it."
    )


def _text(x: float, y: float, text: str, anchor: str, kind: str = "soft") -> Markup:
    return element("text", text, x=f"{x:.1f}", y=f"{y:.1f}", dy="0.35em", text_anchor=anchor, class_=kind)


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
