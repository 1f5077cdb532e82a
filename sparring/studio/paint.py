"""A picture to draw over: what is drawn is a mask of what is to be filled.

Gradio's own editor loses pictures while it starts, sends each stroke dozens of times, and has a brush that is wider
than the small pictures that GANs are trained on; this one shows their very pixels, and the keyboard can draw too.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sparring.data.sources import Unreadable
from sparring.errors import InputError
from sparring.modalities.images.decoding import loaded, opened

LARGEST = 1024  # pixels of a side that are shown of larger pictures
SMALL = 256  # a picture of fewer is shown pixel by pixel
BRUSH = 7  # strokes of the brush side by side cover a picture, at first

STYLE = """
.paint { position: relative; }
.paint canvas { display: block; width: 100%; max-height: 45vh; object-fit: contain; touch-action: none;
  cursor: crosshair; background-size: 100% 100%; border-radius: 6px; }
.paint.small canvas { image-rendering: pixelated; }
.paint .over { position: relative; margin: 0 auto; }
.paint .dot { position: absolute; border: 2px solid #fff; outline: 1px solid #000; border-radius: 50%;
  transform: translate(-50%, -50%); pointer-events: none; display: none; }
.paint canvas:focus-visible ~ .dot { display: block; }
.paint .tools { display: flex; gap: 16px; align-items: center; margin-top: 8px; font-size: .9rem; flex-wrap: wrap; }
.paint .tools label { display: flex; gap: 8px; align-items: center; }
.paint .tools button { border: 1px solid var(--block-border-color); border-radius: 6px; padding: 3px 12px;
  background: var(--block-background-fill); color: inherit; cursor: pointer; }
"""

DRAW = """
let last = null, spot = null;
const canvas = () => element.querySelector('canvas');
const wide = () => +element.querySelector('input').value;
const send = () => trigger('select', {mask: canvas().toDataURL('image/png')});
const stroke = (from, to) => {
  const pen = canvas().getContext('2d');
  pen.strokeStyle = pen.fillStyle = '#ff2d55';
  pen.lineCap = 'round';
  pen.lineWidth = wide();
  pen.beginPath();
  pen.moveTo(...from);
  pen.lineTo(...to);
  pen.stroke();
  pen.beginPath();  // a line of no length is not drawn by every browser
  pen.arc(...to, wide() / 2, 0, 2 * Math.PI);
  pen.fill();
};
const at = e => {
  const box = canvas().getBoundingClientRect();
  return [(e.clientX - box.left) * canvas().width / box.width, (e.clientY - box.top) * canvas().height / box.height];
};
const show = () => {
  const dot = element.querySelector('.dot'), c = canvas();
  dot.style.left = 100 * spot[0] / c.width + '%';
  dot.style.top = 100 * spot[1] / c.height + '%';
  dot.style.width = 100 * wide() / c.width + '%';
  dot.style.aspectRatio = 1;
};
element.addEventListener('pointerdown', e => {
  if (e.target !== canvas()) return;
  canvas().setPointerCapture(e.pointerId);
  last = at(e);
  stroke(last, last);
});
element.addEventListener('pointermove', e => {
  if (last) stroke(last, last = at(e));
});
element.addEventListener('pointerup', () => {
  if (last) send();
  last = null;
});
element.addEventListener('focusin', e => {
  if (e.target !== canvas()) return;
  spot = spot || [canvas().width / 2, canvas().height / 2];
  show();
});
element.addEventListener('keydown', e => {
  if (e.target !== canvas()) return;
  const step = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[e.key];
  if (!step && e.key !== ' ') return;
  e.preventDefault();
  const c = canvas(), far = Math.max(1, wide() / 2);
  if (step) spot = [Math.min(c.width, Math.max(0, spot[0] + far * step[0])),
                    Math.min(c.height, Math.max(0, spot[1] + far * step[1]))];
  else { stroke(spot, spot); send(); }
  show();
});
element.addEventListener('click', e => {
  if (e.target.tagName !== 'BUTTON') return;
  canvas().getContext('2d').clearRect(0, 0, canvas().width, canvas().height);
  send();
});
watch('value', () => { spot = last = null; });
"""


def shown(path: Path) -> str:
    """A picture as HTML to draw over.

    Raises:
        InputError: where the file is no picture.
    """
    picture = upright(path)
    picture.thumbnail((LARGEST, LARGEST))
    file = io.BytesIO()
    picture.save(file, "PNG")
    content = base64.b64encode(file.getvalue()).decode()
    width, height = picture.size
    brush = max(1, round(min(width, height) / BRUSH))
    said = "Your picture: draw over what is to be filled. On the keyboard arrows move the brush and space draws"
    return (
        f'<div class="paint{" small" if max(width, height) < SMALL else ""}">'
        f'<div class="over" style="max-width:calc(45vh * {width / height:.4f})">'
        f'<canvas tabindex="0" role="img" aria-label="{said}" width="{width}" height="{height}" '
        f'style="background-image:url(data:image/png;base64,{content})"></canvas><i class="dot"></i></div>'
        f'<div class="tools"><label>Brush <input type="range" aria-label="Width of the brush" min="1" '
        f'max="{max(2, min(width, height) // 2)}" value="{brush}"></label>'
        '<button type="button">Clear</button></div></div>'
    )


def mask(path: Path, drawn: str | None) -> NDArray[np.bool_]:
    """What was drawn over a picture, (h, w), in the picture's own pixels.

    Args:
        drawn: the drawing as a `data:` address of a PNG, None where there is none.

    Raises:
        InputError: where nothing was drawn.
    """
    drawing = opened(base64.b64decode((drawn or "").partition(",")[2]))
    holes = None
    if not isinstance(drawing, Unreadable):
        large = drawing.convert("RGBA").getchannel("A").resize(upright(path).size, Image.Resampling.NEAREST)
        holes = np.asarray(large) > 0
    if holes is None or not holes.any():
        raise InputError("nothing is drawn over the picture; draw over what is to be filled")
    return holes


def upright(path: Path) -> Image.Image:
    """A picture as it is looked at, whichever way the camera was held.

    Raises:
        InputError: where the file is no picture.
    """
    picture = loaded(path.read_bytes())
    if isinstance(picture, Unreadable):
        raise InputError(f"the picture cannot be used: {picture.why}")
    return picture
