"""Where everything is on the picture of how traffic moved; `pages/weights_plot.svg` draws it.

Time is to scale, but for legs that would be too narrow to be seen: each is at least so wide. All comes from a
certificate's JSON, so that whoever has the certificate can draw it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Legs = Sequence[Mapping[str, Any]]

NARROWEST: Final = 24.0
LABEL: Final = 62.0  # that a time's text takes
LETTER: Final = 8.5


@dataclass(frozen=True, slots=True)
class WeightsPlot:
    """Legs from left to right, shares from the floor up.

    Attributes:
        legs: at least one.
        times: when each leg began, and the end of the last.
        places: where those are.
    """

    legs: Legs
    times: Sequence[float]
    places: Sequence[float]

    width: ClassVar = 960
    height: ClassVar = 300
    left: ClassVar = 48
    right: ClassVar = 16
    top: ClassVar = 44
    bottom: ClassVar = 66

    @classmethod
    def of(cls, legs: Legs, end: str) -> WeightsPlot:
        """Place the legs until `end`."""
        times = [_epoch(leg["at"]) for leg in legs]
        times.append(max(_epoch(end), times[-1] + 1))
        durations = [max(later - earlier, 0.0) for earlier, later in pairwise(times)]
        room = cls.width - cls.left - cls.right
        narrowest = min(NARROWEST, room / len(durations))
        scale = (room - narrowest * len(durations)) / (sum(durations) or 1)
        places = [float(cls.left)]
        for duration in durations:
            places.append(places[-1] + narrowest + duration * scale)
        return cls(legs, times, places)

    def x(self, at: str) -> float:
        """Place a time, also between two legs."""
        moment = min(max(_epoch(at), self.times[0]), self.times[-1])
        for (began, left), (ended, right) in pairwise(zip(self.times, self.places, strict=True)):
            if moment <= ended:
                return left + (right - left) * (moment - began) / ((ended - began) or 1)
        return self.places[-1]

    def y(self, percent: float) -> float:
        """Place a share."""
        floor = self.height - self.bottom
        return floor - (floor - self.top) * percent / 100

    def steps(self, path: str) -> str:
        """Draw a path's share: it holds until the next leg."""
        parts = [f"M{self.places[0]:.1f} {self.y(self.legs[0][path]):.1f}"]
        for leg, right in zip(self.legs, self.places[1:], strict=True):
            parts.append(f"V{self.y(leg[path]):.1f}H{right:.1f}")
        return "".join(parts)

    def stages(self) -> Iterator[Mapping[str, Any]]:
        """Place the strip of stages; a name that does not fit is left to the title."""
        ends = zip(self.legs, pairwise(self.places), strict=True)
        for stage, group in groupby(ends, key=lambda one: one[0]["stage"]):
            legs = list(group)
            (first, (left, _)), (_, (_, right)) = legs[0], legs[-1]
            yield {
                "stage": stage,
                "at": first["at"],
                "left": left,
                "width": max(right - left - 1.5, 1),
                "middle": (left + right) / 2,
                "named": right - left > LETTER * len(stage),
            }

    def clocks(self) -> Iterator[Mapping[str, Any]]:
        """Name the times of moves where there is room, and the last; and each new day."""
        last, before, day = self.places[-1], float("-inf"), ""
        for time, x in zip(self.times, self.places, strict=True):
            if x - before < LABEL or (x != last and last - x < 1.5 * LABEL):
                continue
            moment = datetime.fromtimestamp(time, UTC)
            anchor = "start" if x == self.left else "end" if x == last else "middle"
            before = x + (LABEL / 2 if anchor == "start" else 0)
            new = f"{moment:%Y-%m-%d}"
            yield {"x": x, "anchor": anchor, "time": f"{moment:%H:%M:%S}", "day": new if new != day else ""}
            day = new


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
