"""What a set of films contains, for `sparring check`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from sparring.data.items import Items
from sparring.data.store import Progress, no_progress
from sparring.errors import InputError
from sparring.modalities.survey import Survey, class_counts, listed
from sparring.modalities.video import drawing, fitting
from sparring.modalities.video.clips import Cut, frames, too_short
from sparring.modalities.video.films import Films
from sparring.modalities.video.fitting import Header, examine

if TYPE_CHECKING:
    from sparring.modalities.video.video import Video

MAX_ON_SHEET = 12  # films


@dataclass(frozen=True, kw_only=True)
class VideoSurvey(Survey):
    """What a set of films contains.

    Attributes:
        headers: of the films that can be read.
        short: name of each film that is shorter than a clip, and its length.
        still: names of films in which nothing moves.
        cut: how training cuts the films into clips by default.
        sheet: the beginning of some films.
    """

    headers: tuple[Header, ...]
    short: tuple[tuple[str, str], ...]
    still: tuple[str, ...]
    cut: Cut
    sheet: Image.Image

    def rows(self) -> list[tuple[str, str]]:
        count, classes, unreadable = super().rows()
        rates = Counter(f"{h.rate:.4g}" if h.rate else "no times" for h in self.headers).most_common()
        seconds = [h.seconds for h in self.headers]
        return [
            count,
            ("sizes", fitting.listed_sizes(self.headers)),
            ("rates", ", ".join(f"{rate} ({n:,})" for rate, n in rates[:5])),
            ("lengths", f"from {min(seconds):.2g} to {max(seconds):.2g} seconds"),
            classes,
            unreadable,
            ("short", listed([f"{name} ({why})" for name, why in self.short])),
            ("still", listed(self.still)),
        ]

    def advice(self) -> list[str]:
        advice = list(self.notes)
        if self.unreadable or self.short:
            advice.append("training skips films that cannot be read, and those that are shorter than a clip (frames=N)")
        if self.still:
            advice.append("remove still films: they teach that nothing moves")
        return advice + super().advice()

    def content(self) -> dict[str, Any]:
        return {
            **super().content(),
            "frames": self.cut.frames,
            "rate": self.cut.rate,
            "size": self.cut.size,
            "seconds": sum(h.seconds for h in self.headers),
            "short": dict(self.short),
            "still": list(self.still),
        }

    def sheets(self) -> Mapping[str, Image.Image]:
        return {"sheet.png": self.sheet}


def survey(modality: Video, items: Items, data: str, progress: Progress = no_progress) -> VideoSurvey:
    """Read the beginning of every film of a set.

    Args:
        modality: that chooses the settings of clips.

    Raises:
        InputError: if none can be read.
    """
    films: Films = items.items
    fitted = modality.fit(items)
    cut = fitted.cut
    headers: dict[int, Header] = {}
    unreadable, short, still = [], [], []
    for done, (parts, film) in enumerate(films.read(), 1):
        name = films.names[parts[0]]
        try:
            header = examine(film)
        except InputError as error:
            unreadable.append((name, str(error)))
            continue
        headers |= dict.fromkeys(parts, header)
        count = round(header.seconds * cut.rate) if header.rate else header.frames or cut.frames
        if count < cut.frames:
            short.append((name, too_short(count, cut)))
        if header.still:
            still.append(name)
        progress(done, len(films))
    good = sorted(headers)
    one_each = [parts[0] for parts in films.groups() if parts[0] in headers]
    return VideoSurvey(
        items=items, data=data, words=modality.words, count=len(good), classes=class_counts(items, good),
        held=0 if items.held is None else int(items.held[good].sum()), unreadable=tuple(unreadable),
        notes=fitting.notes_on(films, modality.chosen(items)), headers=tuple(headers[i] for i in one_each),
        short=tuple(short), still=tuple(still), cut=cut, sheet=_sheet(films, one_each, cut),
    )  # fmt: skip


def _sheet(films: Films, good: list[int], cut: Cut) -> Image.Image:
    """The first clip of some films; that of a shorter one ends with its last frame."""
    chosen = good[:: max(1, len(good) // MAX_ON_SHEET)][:MAX_ON_SHEET]
    rows = []
    for _, film in films.read(chosen):
        shown = []
        for frame in frames(film, cut):
            shown.append(frame.transpose(1, 2, 0))
            if len(shown) == cut.frames:
                break
        rows.append(np.stack(shown + shown[-1:] * (cut.frames - len(shown))))
    return drawing.contact_sheet(np.stack(rows))
