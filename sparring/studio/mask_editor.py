"""An editor in which users paint over the parts of an image that a model fills.

Gradio's own editor loses images while it starts, sends each stroke dozens of times, and has a brush that is wider than
the small images that GANs are trained on. This one shows single pixels, and the keyboard can paint too.
"""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sparring.errors import InputError

MAX_SIDE = 1024  # pixels of a side of the shown image; larger images are reduced
MAX_PIXELATED = 256  # pixels of the longer side of an image whose pixels are shown as squares
BRUSHES = 7  # initial brush widths that fit into the shorter side

STYLE = """
.mask-editor { position: relative; }
.mask-editor canvas { display: block; width: 100%; max-height: 45vh; object-fit: contain; touch-action: none;
  cursor: crosshair; background-size: 100% 100%; border-radius: 6px; }
.mask-editor.pixelated canvas { image-rendering: pixelated; }
.mask-editor .area { position: relative; margin: 0 auto; }
.mask-editor .brush { position: absolute; border: 2px solid #fff; outline: 1px solid #000; border-radius: 50%;
  transform: translate(-50%, -50%); pointer-events: none; display: none; }
.mask-editor canvas:focus-visible ~ .brush { display: block; }
.mask-editor .tools { display: flex; gap: 16px; align-items: center; margin-top: 8px; font-size: .9rem;
  flex-wrap: wrap; }
.mask-editor .tools label { display: flex; gap: 8px; align-items: center; }
.mask-editor .tools button { border: 1px solid var(--block-border-color); border-radius: 6px; padding: 3px 12px;
  background: var(--block-background-fill); color: inherit; cursor: pointer; }
"""

SCRIPT = """
let last = null, cursor = null;
const canvas = () => element.querySelector('canvas');
const brushWidth = () => +element.querySelector('input').value;
const send = () => trigger('select', {mask: canvas().toDataURL('image/png')});
const stroke = (from, to) => {
  const pen = canvas().getContext('2d');
  pen.strokeStyle = pen.fillStyle = '#ff2d55';
  pen.lineCap = 'round';
  pen.lineWidth = brushWidth();
  pen.beginPath();
  pen.moveTo(...from);
  pen.lineTo(...to);
  pen.stroke();
  pen.beginPath();  // not every browser draws a line of length 0
  pen.arc(...to, brushWidth() / 2, 0, 2 * Math.PI);
  pen.fill();
};
const position = e => {
  const box = canvas().getBoundingClientRect();
  return [(e.clientX - box.left) * canvas().width / box.width, (e.clientY - box.top) * canvas().height / box.height];
};
const showBrush = () => {
  const brush = element.querySelector('.brush'), c = canvas();
  brush.style.left = 100 * cursor[0] / c.width + '%';
  brush.style.top = 100 * cursor[1] / c.height + '%';
  brush.style.width = 100 * brushWidth() / c.width + '%';
  brush.style.aspectRatio = 1;
};
element.addEventListener('pointerdown', e => {
  if (e.target !== canvas()) return;
  canvas().setPointerCapture(e.pointerId);
  last = position(e);
  stroke(last, last);
});
element.addEventListener('pointermove', e => {
  if (last) stroke(last, last = position(e));
});
element.addEventListener('pointerup', () => {
  if (last) send();
  last = null;
});
element.addEventListener('focusin', e => {
  if (e.target !== canvas()) return;
  cursor = cursor || [canvas().width / 2, canvas().height / 2];
  showBrush();
});
element.addEventListener('keydown', e => {
  if (e.target !== canvas()) return;
  const step = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[e.key];
  if (!step && e.key !== ' ') return;
  e.preventDefault();
  const c = canvas(), distance = Math.max(1, brushWidth() / 2);
  if (step) cursor = [Math.min(c.width, Math.max(0, cursor[0] + distance * step[0])),
                      Math.min(c.height, Math.max(0, cursor[1] + distance * step[1]))];
  else { stroke(cursor, cursor); send(); }
  showBrush();
});
element.addEventListener('click', e => {
  if (e.target.tagName !== 'BUTTON') return;
  canvas().getContext('2d').clearRect(0, 0, canvas().width, canvas().height);
  send();
});
watch('value', () => { cursor = last = null; });
"""


def editor(image: Image.Image) -> str:
    """The editor with an image, as HTML."""
    shown = image.copy()
    shown.thumbnail((MAX_SIDE, MAX_SIDE))
    file = io.BytesIO()
    shown.save(file, "PNG")
    content = base64.b64encode(file.getvalue()).decode()
    width, height = shown.size
    brush = max(1, round(min(width, height) / BRUSHES))
    label = "Your image: paint over what is to be filled. On the keyboard, arrows move the brush and space paints"
    return (
        f'<div class="mask-editor{" pixelated" if max(width, height) < MAX_PIXELATED else ""}">'
        f'<div class="area" style="max-width:calc(45vh * {width / height:.4f})">'
        f'<canvas tabindex="0" role="img" aria-label="{label}" width="{width}" height="{height}" '
        f'style="background-image:url(data:image/png;base64,{content})"></canvas><i class="brush"></i></div>'
        f'<div class="tools"><label>Brush <input type="range" aria-label="Width of the brush" min="1" '
        f'max="{max(2, min(width, height) // 2)}" value="{brush}"></label>'
        '<button type="button">Clear</button></div></div>'
    )


def mask(size: tuple[int, int], painted: str | None) -> NDArray[np.bool_]:
    """The painted pixels of an image, (h, w), in the image's own size.

    Args:
        size: width and height of the image.
        painted: the canvas as the `data:` URL of a PNG; None if nothing was painted.

    Raises:
        InputError: if nothing was painted.
    """
    content = base64.b64decode((painted or "").partition(",")[2])
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as opened:
            alpha = opened.convert("RGBA").getchannel("A")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):  # it is not a PNG of a canvas
        alpha = Image.new("L", (1, 1))
    holes = np.asarray(alpha.resize(size, Image.Resampling.NEAREST)) > 0
    if not holes.any():
        raise InputError("nothing is painted over the image; paint over what is to be filled")
    return holes
