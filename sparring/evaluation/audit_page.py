"""An audit on the screen, and as a page for whoever answers for the data."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

import numpy as np

from sparring.evaluation.audit_results import Attack, Audit
from sparring.files import write_json, write_text
from sparring.metrics.membership import FALSE_POSITIVES, Interval
from sparring.runs.curves import COLORS
from sparring.runs.folder import RunFolder

HEADING = "## Privacy audit"
HEAD = ("attack", "AUC", "TPR at 1% FPR", "floor", "ceiling")
MEANING = {
    "gan_leaks": "A training item is nearer to a generated one than other items are (arXiv:1909.03935).",
    "gan_leaks_calibrated": "As above, relative to the nearest real item that is known not to be a training item.",
    "domias": "Samples are denser at a training item than real data are (arXiv:2302.12580).",
    "logan": "D takes a training item for real more surely than other real items (arXiv:1705.07663).",
}
LIMITS = (
    "Attacks give a lower bound. A better attack may find more, and an audit that finds nothing proves nothing: only "
    "differential privacy bounds what any attack can find.",
    "The numbers are averages over the candidates. A rare item, such as an unusual patient, may be recognized although "
    "most are not; the column of true positives at 1% false positives shows the items that are recognized surely.",
    "The audit is of this model and its samples. Further models from the same data, or figures that were published of "
    "them, add to what is known about the items.",
    "Values are guessed by one simple rule, and only one at a time. That it guesses no value better than of "
    "others does not show that none can be guessed.",
    "Held-out items must be like training items. If they are not (they are later in time, say), the floor is not 0.5, "
    "and attacks of this kind cannot be judged.",
)
PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 54rem; margin: 0 auto; padding: 1rem; }
.verdict { border-left: .4rem solid $color; padding: .5rem 1rem; font-size: 1.1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .8rem .25rem 0; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
th { border-bottom: 1px solid; }
img { max-width: 100%; height: auto; background: white; }
</style>
<h1>$title</h1>
<p class="verdict">$verdict.</p>
<h2>Can training items be recognized?</h2>
<div class="wide" tabindex="0" role="region" aria-label="attacks">$attacks</div>
<p>AUC is the probability that a training item gets a higher score than another real item: 0.5 is chance, 1 recognizes
all. TPR at 1% FPR is the share of training items that are recognized while 1% of the others are wrongly taken for
training items. The floor is the AUC on samples of a perfect generator that has never seen the items, and the ceiling
that on copies of them.</p>
<ul>$meaning</ul>
<img src="data:image/png;base64,$plot" alt="true positive rate against false positive rate of each attack">
<h2>Are samples copies?</h2>
<div class="wide" tabindex="0" role="region" aria-label="copies">$copies</div>
<p>Memorization is the probability that a sample is nearer to the training data than a held-out item is: 0.5 if samples
are as new as held-out items, 1 if all are copies.</p>
$attributes
<h2>What follows for differential privacy</h2>
<p>$epsilon.</p>
<h2>How to reveal less</h2>
<p>$advice.</p>
<h2>What this page does not show</h2>
<ul>$limits</ul>
<h2>How it was measured</h2>
<p>$protocol.</p>
</html>
""")


def rows(audit: Audit) -> list[tuple[str, ...]]:
    """The attacks as lines of a table, the first of which is its head."""
    return [HEAD, *(_row(attack) for attack in audit.attacks)]


def _row(attack: Attack) -> tuple[str, ...]:
    ends = ("-" if end is None else f"{end.value:.2f}" for end in (attack.floor, attack.ceiling))
    return (attack.name, _shown(attack.auc), _shown(attack.tpr, share=True), *ends)


def _shown(interval: Interval, share: bool = False) -> str:
    if share:
        return f"{interval.value:.1%} ({interval.low:.1%} to {interval.high:.1%})"
    return f"{interval.value:.2f} ({interval.low:.2f} to {interval.high:.2f})"


def record(run: Path, audit: Audit) -> Path:
    """Write an audit to a run's folder, as JSON, as a page, and as a section of the model card; returns the page."""
    folder = RunFolder(run)
    write_json(folder.audit, audit.content())
    page = folder.audit.with_suffix(".html")
    write_text(page, html(audit, f"Privacy audit of a model of {audit.data}"))
    head, *body = ("| " + " | ".join(cells) + " |" for cells in rows(audit))
    verdict = f"{_capital(audit.verdict)} ([report]({page.name}))."
    line = "|---|" + "---:|" * (len(HEAD) - 1)
    said = [f"{_capital(audit.protocol)}.", "", f"{epsilon_words(audit)}."]
    folder.write_section(HEADING, [verdict, "", head, line, *body, "", *said])
    return page


def html(audit: Audit, title: str) -> str:
    """The page, whole: its plot is in it."""
    attacks = dict.fromkeys(attack.name.partition("[")[0] for attack in audit.attacks)
    copies = [("metric", "samples", "held-out items"), *((n.name, str(n), str(held)) for n, held in audit.copies)]
    return PAGE.substitute(
        title=escape(title),
        verdict=escape(_capital(audit.verdict)),
        color="#c2410c" if audit.leaks else "#a16207" if audit.weak else "#15803d",
        attacks=_table(rows(audit)),
        meaning="".join(f"<li><b>{name}</b>: {escape(MEANING[name])}</li>" for name in attacks),
        plot=base64.b64encode(_plot(audit.attacks)).decode(),
        copies=_table(copies),
        attributes=_attributes(audit),
        epsilon=escape(epsilon_words(audit)),
        advice=escape(_capital(audit.advice)),
        limits="".join(f"<li>{escape(limit)}</li>" for limit in LIMITS),
        protocol=escape(_capital(audit.protocol)),
    )


def attribute_rows(audit: Audit) -> list[tuple[str, ...]]:
    """Guesses of values as lines of a table, the first of which is its head; [] if there are none."""
    head = ("value", "guessed of training items", "of other items", "difference")
    body = [(a.name, f"{a.members:.1%}", f"{a.others:.1%}", _shown(a.advantage, share=True)) for a in audit.attributes]
    return [head, *body] if body else []


def epsilon_words(audit: Audit) -> str:
    """The lower bound of epsilon next to what the model promises, in sentences without an end."""
    bound = _bound_words(audit)
    if audit.promise is None:
        return bound
    promise = f"The model promises epsilon {audit.promise.epsilon:g} for the removal of one {audit.promise.unit}"
    verdict = "which these attacks seem to contradict" if audit.contradicted else "which no attack contradicts"
    return f"{bound}. {promise}, {verdict}"


def _bound_words(audit: Audit) -> str:
    if audit.epsilon is None:
        return "No lower bound of epsilon is given: it needs held-out items that were chosen at random"
    if not audit.epsilon:
        return "The attacks refute no claim of differential privacy, which does not mean that any claim holds"
    return (
        "The attacks refute any claim of differential privacy with delta = 0 and an epsilon below "
        f"{audit.epsilon:.2f}, if neighboring data sets differ in the replacement of one record, or below "
        f"{audit.epsilon / 2:.2f}, if one record is added or removed"
    )


def _attributes(audit: Audit) -> str:
    rows = attribute_rows(audit)
    if not rows:
        return ""
    return (
        "<h2>Can values of training items be inferred?</h2>"
        f'<div class="wide" tabindex="0" role="region" aria-label="values">{_table(rows)}</div>'
        "<p>Somebody who knows all other values of an item guesses one by the sample that is nearest in these "
        "(arXiv:2211.10459). What is guessed as often of other items is known of everybody, and no leak. Only a "
        "difference whose interval is above 0 is.</p>"
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _table(lines: Sequence[Sequence[str]]) -> str:
    head, *body = lines
    first = "<tr>" + "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head) + "</tr>"
    others = ("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in body)
    return f"<table>{first}{''.join(others)}</table>"


def _plot(attacks: Sequence[Attack]) -> bytes:
    """True against false positive rates of each attack, on logarithmic axes, on which rare sure hits are visible."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 4.4), dpi=110, layout="constrained")
    axis = figure.subplots()
    least = 0.5 / max(len(attack.others) for attack in attacks)
    for i, attack in enumerate(attacks):
        members, others = attack.members.numpy(), attack.others.numpy()
        thresholds = np.unique(np.concatenate([members, others]))[::-1]
        order = [np.sort(scores) for scores in (others, members)]
        false, true = (1 - np.searchsorted(scores, thresholds, "left") / len(scores) for scores in order)
        axis.plot(np.maximum(false, least), np.maximum(true, least), color=COLORS[i % len(COLORS)], label=attack.name)
    axis.plot([least, 1], [least, 1], color="#6b7280", linestyle=":", label="chance")
    axis.axvline(FALSE_POSITIVES, color="#6b7280", linewidth=0.6)
    axis.set(xscale="log", yscale="log", xlim=(least, 1), ylim=(least, 1))
    axis.set(xlabel="false positive rate", ylabel="true positive rate")
    axis.grid(alpha=0.25)
    axis.legend(fontsize=8, frameon=False)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
