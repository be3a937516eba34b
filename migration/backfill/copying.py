"""Copying segments of legacy's events, page by page: the one code for it, on a machine and in a function.

    read a page ─► put each event if absent ─► save the segment's position ─► next page

It can be killed between any two calls: a page that is not saved is put again, and found taken.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from migration.backfill.in_parallel import handfuls
from migration.model.backfill import Progress, copied, hopeless
from migration.model.facts import Lane, StoredFact
from migration.model.misfit import misfit
from migration.model.moments import moment_text
from migration.model.side import Side

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migration.backfill.attention import Attention
    from migration.backfill.facts import FactPuts
    from migration.backfill.in_parallel import InParallel
    from migration.backfill.legacy_events import EventPage, LegacyEventSource
    from migration.model.backfill import Copied, Job, Segment
    from migration.model.checkpoints import Checkpoints
    from migration.model.facts import Created, Taken
    from migration.model.fold import Activity


@dataclass(frozen=True, slots=True)
class Copying:
    """One process that copies.

    Attributes:
        events, facts, checkpoints: the world.
        attention: paces writes, and stops for a pause or for another run.
        in_parallel: a map over several threads, or the builtin.
    """

    events: LegacyEventSource
    facts: FactPuts
    checkpoints: Checkpoints
    attention: Attention
    in_parallel: InParallel = map

    def copy(self, job: Job, progress: Progress) -> None:
        """Copy these segments until all are done, or somebody else is found at work on one of them.

        Args:
            job: whose segments they are.
            progress: the segments to copy; those of the run that are not in it are left alone.

        Raises:
            MovedOnError: when the job is elsewhere by now.
            RemoteError: when AWS fails; copying again goes on.
        """
        segments = {segment.number: segment for segment in progress.segments}
        read, total = progress.read, self.events.size().items * len(segments) // job.segments
        with closing(self.events.pages(job.segments, _positions(job, segments))) as pages:
            for page in pages:
                segment = segments[page.segment].after(self._page(page, job, read, total), page.position)
                read += segment.read - segments[page.segment].read
                if not self.checkpoints.save_segment(segment):
                    return
                segments[page.segment] = segment
                if hopeless(job, Progress(tuple(segments.values()))):
                    return
                self.attention.heed(job, read, max(read, total))

    def _page(self, page: EventPage, job: Job, read: int, total: int) -> Copied:
        misfits = [*page.misfits, *filter(None, map(misfit, page.activities))]
        activities = [activity for activity in page.activities if misfit(activity) is None]
        puts: list[Created | Taken] = []
        for handful in handfuls(activities):
            puts += self.in_parallel(self._put, handful)
            self.attention.heed(job, read + len(puts), max(read + len(puts), total))
        result = copied(activities, puts, misfits)
        for problem in (*result.conflicts, *result.unmappable):
            self.attention.tell(problem)
        return result

    def _put(self, activity: Activity) -> Created | Taken:
        at = moment_text(self.attention.clock.now())
        fact = StoredFact(activity, Lane.HISTORY, Side.LEGACY, at)
        return self.attention.pacer.spend(partial(self.facts.put, fact))


def _positions(job: Job, segments: dict[int, Segment]) -> dict[int, str | None]:
    """Say where each begun segment goes on; what is done, or not ours, has nothing to read."""
    others: Iterable[int] = set(range(job.segments)) - set(segments)
    begun = (one for one in segments.values() if one.done or one.position is not None)
    return {**dict.fromkeys(others), **{one.number: None if one.done else one.position for one in begun}}
