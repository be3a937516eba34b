"""A certificate as one HTML file without a script, to be read, printed and kept.

It is made from the certificate's JSON and nothing else, and holds that JSON: so a copy can be made again and
compared, letter by letter, and whatever was changed in either shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migration.certificate.certificate import HASH
from migration.report.markup import Markup, element, joined
from migration.report.page import Page
from migration.report.weights_plot import weights_plot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    Fields = Mapping[str, Any]

PAGE: Final = Page("certificate_page.html", ("certificate_page.css",))
NONE: Final = "\N{EN DASH}"


def certificate_page(fields: Fields) -> str:
    """Render a certificate's JSON as a page."""
    draft, missing = fields["draft"], fields["missing"]
    name = "Draft of the certificate" if draft else "Certificate"
    texts = {
        "title": f"{name} of cutover, {fields['migration']}",
        "kind": "draft" if draft else "final",
        "migration": fields["migration"],
        "stack": fields["stack"],
        "judgement": "explained" if draft else "to_repair" if missing else "same",
        "headline": _headline(draft=draft, missing=len(missing)),
        "meaning": _meaning(fields),
    }
    parts = {
        "stamp": element("p", "Draft", class_="stamp", aria_hidden="true") if draft else Markup(""),
        "about": _about(fields),
        "missing": _missing(missing),
        "plot": _plot(fields),
        "moves": _moves(fields["timeline"]),
        "clients": _clients(fields["clients"]),
        "ledger": _ledger(fields["ledger"]),
        "back": _back(fields),
        "guardrails": _guardrails(fields["evidence"]),
        "shadow": _shadow(fields["shadow"]),
        "cost": _cost(fields["cost"]),
        "verify": _verify(fields["verify"]),
    }
    return PAGE.render(texts, fields, parts)


def _headline(*, draft: bool, missing: int) -> str:
    things = f"{missing} thing{'' if missing == 1 else 's'}"
    if draft:
        return f"DRAFT: {things} missing"
    return f"Complete, but {things} not proven" if missing else "Complete, and proven"


def _meaning(fields: Fields) -> str:
    if fields["draft"]:
        return "The migration goes on; what is below is what the journal says so far."
    if fields["missing"]:
        return "The pipeline has all traffic. What could not be proven is listed."
    return "The pipeline has all traffic, and everything below was measured."


def _about(fields: Fields) -> Markup:
    legs = fields["timeline"]
    began, ended = (legs[0]["at"], legs[-1]["at"]) if legs else ("", "")
    return _list(
        [
            ("stage", fields["stage"]),
            ("moves", joined(_time(began), " to ", _time(ended)) if legs else "none yet"),
            ("plan", element("code", fields["plan"] or "none yet")),
            ("issued", _time(fields["issued_at"])),
            ("journal", f"{fields['entries']:,} entries, the last {fields['last'] or NONE}"),
            ("content hash", element("code", fields[HASH])),
        ]
    )


def _missing(missing: Sequence[str]) -> Markup:
    if not missing:
        return Markup("")
    items = [element("li", text) for text in missing]
    title = element("h2", "Not proven", id="missing-title")
    return element(
        "section",
        title,
        element("ul", *items, class_="plain"),
        class_="card",
        aria_labelledby="missing-title",
    )


def _plot(fields: Fields) -> Markup:
    if not fields["timeline"]:
        return element("p", "No traffic was moved yet.")
    end = fields["issued_at"] if fields["draft"] else fields["timeline"][-1]["at"]
    return weights_plot(fields["timeline"], fields["drills"], end)


def _moves(legs: Sequence[Fields]) -> Markup:
    rows = [
        [
            _time(leg["at"], "seconds"),
            joined(
                leg["text"],
                *([element("br"), element("span", leg["cause"], class_="place")] if leg["cause"] else []),
            ),
            f"{leg['writes']:g} %",
            f"{leg['reads']:g} %",
            _seconds(leg["settled_s"]),
            _kind(leg),
            element("span", leg["by"], class_="place"),
        ]
        for leg in legs
    ]
    return _table(["When", "To", "#Writes", "#Reads", "#Everywhere after", "Step", "By"], rows)


def _kind(leg: Fields) -> Markup:
    if leg["rollback"]:
        return element("span", "rolled back", class_="tag", data_judgement="unexplained")
    if leg["drill"]:
        return element("span", "rehearsal", class_="tag", data_judgement="explained")
    return joined(leg["step"])


def _clients(clients: Fields | None) -> Markup:
    if clients is None:
        return element("p", "No acknowledgement ledger was given; see what is not proven.")
    latency = clients["latency"] or {}
    figures = [
        ("sends decided", f"{100 * clients['success']:.4g} %"),
        ("sends", f"{clients['sends']:,}"),
        ("never decided", f"{clients['failed']:,}"),
        ("acknowledged", f"{clients['acknowledged']:,}"),
        ("waited longest for an acknowledgement", _span(clients["waited"])),
        ("longest between two acknowledgements", _span(clients["between"])),
        ("latency, median", _milliseconds(latency.get("p50_ms"))),
        ("latency, p99", _milliseconds(latency.get("p99_ms"))),
    ]
    rest = (
        f"From {clients['first'][:19].replace('T', ' ')} to {clients['last'][:19].replace('T', ' ')} UTC. "
        f"{clients['rejected']:,} were refused for what they were, and {clients['conflicts']:,} contradicted "
        "an earlier one; "
        f"{clients['retried']:,} took more than one try. Nobody may have sent anything for the longest time "
        "between two; in the longest wait somebody did."
    )
    return joined(_figures(figures), element("p", rest, class_="muted"))


def _ledger(ledger: Mapping[str, Fields]) -> Markup:
    if not ledger:
        return element("p", "The ledger was not checked against the tables.")
    rows = [
        [
            side,
            f"{one['acknowledged']:,}",
            f"{one['stored']:,}",
            f"{one['folded']:,}",
            f"{one['findings'].get('lost', 0):,}",
            f"{one['findings'].get('doubled', 0):,}",
            f"{sum(one['findings'].values()):,}",
            _verdict("exact" if one["clean"] else "differs", good=one["clean"]),
        ]
        for side, one in ledger.items()
    ]
    heads = ["Side", "#Acknowledged", "#Stored", "#Folded", "#Lost", "#Doubled", "#Findings", "Verdict"]
    return _table(heads, rows)


def _back(fields: Fields) -> Markup:
    backs = [leg for leg in fields["timeline"] if leg["rollback"]]
    rows = [
        [
            _time(one["at"], "seconds"),
            joined("rehearsed ", element("strong", one["path"])),
            _seconds(one["seconds"]),
            _verdict("went well" if one["ok"] else "failed", good=one["ok"]),
            one["text"],
        ]
        for one in fields["drills"]
    ]
    rows += [
        [
            _time(leg["at"], "seconds"),
            joined(
                "rolled back from ", element("strong", leg["was"]), " to ", element("strong", leg["text"])
            ),
            _seconds(leg["settled_s"]),
            _verdict(
                "everywhere" if leg["settled_s"] is not None else "not seen",
                good=leg["settled_s"] is not None,
            ),
            leg["cause"],
        ]
        for leg in backs
    ]
    if not rows:
        return element("p", "Nothing was rehearsed, and nothing rolled back.")
    return _table(["When", "What", "#Everywhere after", "Outcome", "Why"], rows)


def _guardrails(evidence: Sequence[Fields]) -> Markup:
    if not evidence:
        return element("p", "None was taken down.")
    rows = [
        [
            joined(one["name"], element("span", " tells only", class_="place") if one["dry"] else ""),
            *(f"{one['looks'].get(outcome, 0):,}" for outcome in ("pass", "inconclusive", "error", "fail")),
            _verdict(one["last"], good=one["last"] == "pass"),
            joined(one["why"], element("br"), element("span", _time(one["at"]), class_="place")),
        ]
        for one in evidence
    ]
    heads = ["Guardrail", "#Pass", "#Inconclusive", "#Error", "#Fail", "Last", "Evidence of the last"]
    return _table(heads, rows)


def _shadow(shadow: Fields | None) -> Markup:
    if shadow is None:
        return element("p", "No comparisons are kept.")
    agreement = NONE if shadow["agreement"] is None else f"{shadow['agreement']:.4f}"
    return _figures(
        [
            ("comparisons", f"{shadow['comparisons']:,}"),
            ("hours", f"{shadow['hours']:,.1f}")
            if shadow["hours"] >= 1
            else ("minutes", f"{60 * shadow['hours']:.0f}"),
            ("with something unexplained", f"{shadow['unexplained']:,}"),
            ("pipeline and truth, median overlap", agreement),
        ]
    )


def _cost(cost: Fields) -> Markup:
    rows = [[line["what"], line["arithmetic"], _dollars(line["dollars"])] for line in cost["lines"]]
    rows.append(["total", "", _dollars(cost["dollars"])])
    note = f"An estimate at list prices of us-east-1. Left out: {cost['left_out']}."
    return joined(_table(["Of", "Arithmetic", "#Dollars"], rows), element("p", note, class_="muted"))


def _verify(commands: Iterable[Fields]) -> Markup:
    rows = [[element("code", one["command"]), one["proves"]] for one in commands]
    return _table(["Run", "It proves that"], rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    """Make a table that becomes a list of cards on a phone; `#` before a head makes a column of numbers."""
    kinds = ["number" if head.startswith("#") else None for head in heads]
    names = [head.lstrip("#") for head in heads]
    top = [element("th", name, scope="col", class_=kind) for name, kind in zip(names, kinds, strict=True)]
    body = [
        element(
            "tr",
            *(
                element("td", cell, class_=kind, data_label=name)
                for cell, kind, name in zip(row, kinds, names, strict=True)
            ),
        )
        for row in rows
    ]
    table = element("table", element("thead", element("tr", *top)), element("tbody", *body), class_="cards")
    return element("div", table, class_="scroll")


def _figures(figures: Iterable[tuple[str, str]]) -> Markup:
    items = [element("div", element("dt", name), element("dd", value)) for name, value in figures]
    return element("dl", *items, class_="figures")


def _list(pairs: Iterable[tuple[str, str]]) -> Markup:
    items = [element("div", element("dt", name), element("dd", value)) for name, value in pairs]
    return element("dl", *items, class_="about")


def _verdict(text: str, *, good: bool) -> Markup:
    return element("span", text, class_="tag", data_judgement="same" if good else "unexplained")


def _time(text: str, to: str = "minutes") -> Markup:
    if not text:
        return Markup(NONE)
    shown = text[: 19 if to == "seconds" else 16].replace("T", " ")
    return element("time", f"{shown} UTC" if to == "minutes" else shown, datetime=text)


def _seconds(value: float | None) -> str:
    return NONE if value is None else f"{value:,.1f} s"


def _milliseconds(value: float | None) -> str:
    return NONE if value is None else f"{value:,.0f} ms"


def _span(span: Fields | None) -> str:
    return NONE if span is None else f"{span['seconds']:,.3f} s"


def _dollars(value: float) -> str:
    return f"${value:,.4f}"
