"""The parts of samples of several kinds side by side: each as a table, in a player, or as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from sparring.modalities import Samples
from sparring.provenance import Mark
from sparring.studio.handlers import ONE_RENDER
from sparring.studio.studio import Studio

MAX_ROWS = 200  # rows of a table on the page
PLAYERS = {"audio": gr.Audio, "video": gr.Video}


@dataclass(frozen=True)
class Parts:
    """Samples by part.

    Attributes:
        samples: by name of the part; {} for kinds that have no parts.
        mark: of all that is shown of them; None for none.
    """

    samples: Mapping[str, Samples]
    mark: Mark | None


@dataclass(frozen=True, eq=False)  # the state that holds it has changed with each new one
class Shown:
    """What shows a part.

    Attributes:
        name: of the part.
        element: "table", "audio", "video" or "image".
        content: a data frame, or the path of a file.
    """

    name: str
    element: str
    content: Any


def rows_of(frame: Any) -> Any:
    """The first rows of a data frame as the page shows them: missing values are empty."""
    rows = frame.head(MAX_ROWS).astype(object)
    return rows.where(rows.notna(), "")


def shown(studio: Studio, parts: Parts, index: int | None = None) -> tuple[Shown, ...]:
    """What shows the parts.

    Args:
        index: of the only sample that is shown; all if None.
    """
    found = []
    for name, samples in parts.samples.items():
        items = samples.items if index is None else samples.items[index : index + 1]
        found.append(_shown(studio, name, Samples(items, None, samples.modality), parts.mark))
    return tuple(found)


def _shown(studio: Studio, name: str, samples: Samples, mark: Mark | None) -> Shown:
    frame = samples.modality.as_frame(samples)
    if frame is not None:
        return Shown(name, "table", rows_of(frame))
    media = samples.played(mark)
    if media is not None:
        path = studio.new_file(f"{name}{media.suffix}")
        path.write_bytes(media.content)
        return Shown(name, media.element, str(path))
    path = studio.new_file(f"{name}.png")
    (samples if mark is None else mark.samples(samples)).preview().save(path)
    return Shown(name, "image", str(path))


def section(state: gr.State) -> None:
    """Lay out the parts whenever they change.

    Args:
        state: with what shows them, a tuple of `Shown`.
    """

    @gr.render(inputs=state, triggers=[state.change], **ONE_RENDER)  # type: ignore[untyped-decorator]
    def columns(parts: Sequence[Shown]) -> None:
        if not parts:
            return
        with gr.Row(equal_height=False, elem_id="parts"):
            for part in parts:
                with gr.Column(min_width=200):
                    _component(part)


def _component(part: Shown) -> None:
    settings: dict[str, Any] = {"label": part.name.capitalize(), "interactive": False, "elem_id": f"part-{part.name}"}
    if part.element == "table":
        gr.HTML(f'<p class="muted">{escape(part.name.capitalize())}</p>', apply_default_css=False)
        gr.Dataframe(part.content, max_height=340, **settings | {"show_label": False})
    elif part.element == "image":
        gr.Image(part.content, format="png", elem_classes="crisp", buttons=["fullscreen"], height=280,
                 alt_text=f"The {part.name}s of the samples", **settings)  # fmt: skip
    else:
        PLAYERS[part.element](part.content, **settings)
