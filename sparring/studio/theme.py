"""The appearance of the page: fonts of the reader's machine, blue accents, light and dark."""

from __future__ import annotations

import gradio as gr

SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")


def theme() -> gr.themes.Base:
    """Gradio's base theme without fonts from other machines."""
    return gr.themes.Base(
        primary_hue="blue", secondary_hue="blue", neutral_hue="slate", radius_size="md", font=SANS, font_mono=MONO
    ).set(
        body_background_fill="#f6f7f9", body_background_fill_dark="#0f141b",
        block_background_fill="#ffffff", block_background_fill_dark="#171e28",
        block_border_color="#e3e7ee", block_border_color_dark="#2a3442",
        body_text_color_subdued="#5d6b80", body_text_color_subdued_dark="#9fadc0",
        block_info_text_color="#5d6b80", block_info_text_color_dark="#9fadc0",
        block_label_background_fill="#ffffff", block_label_background_fill_dark="#171e28",
        block_label_border_width="0px", block_label_text_color="#46546a", block_label_text_color_dark="#a9b6c8",
        block_title_text_color="#26334a", block_title_text_color_dark="#d6deea",
        button_primary_background_fill="#1f4fbf", button_primary_background_fill_dark="#2f63d8",
        button_primary_background_fill_hover="#173f9c", button_primary_background_fill_hover_dark="#3b6ee0",
        button_large_text_size="*text_md", button_large_text_weight="500", button_small_text_weight="500",
        button_primary_text_color="#ffffff", slider_color="#1f4fbf", slider_color_dark="#5b8bf5",
    )  # fmt: skip


CSS = """
.gradio-container { overflow: clip !important; padding: 0 16px 24px !important; }
.gradio-container > .main { max-width: 1240px !important; width: 100%; margin: 0 auto !important; }
.gradio-container > .main.app { padding: 8px 0 !important; }
#head { align-items: center; gap: 16px; }
#head .title { font-size: 1.35rem; font-weight: 650; letter-spacing: -0.01em; margin: 6px 0; }
#head .title span { color: var(--body-text-color-subdued); font-weight: 400; }
button[role="tab"].selected { color: #1f4fbf !important; }
.dark button[role="tab"].selected { color: #8fb0ff !important; }
:focus-visible { outline: 3px solid #5b8bf5 !important; outline-offset: 2px; }
.muted { color: var(--body-text-color-subdued); }
.warning { color: #b45309; }
.dark .warning { color: #f5b267; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(250px, 100%), 1fr)); gap: 16px;
  padding: 2px; }
.card { text-align: left; background: var(--block-background-fill); border: 1px solid var(--block-border-color);
  border-radius: 10px; overflow: hidden; padding: 0; cursor: pointer; color: var(--body-text-color);
  display: flex; flex-direction: column; font: inherit; transition: border-color .15s, box-shadow .15s; }
.card:hover { border-color: #5b8bf5; box-shadow: 0 2px 10px rgb(20 40 90 / 12%); }
.card.selected { border-color: #1f4fbf; box-shadow: 0 0 0 2px #1f4fbf; }
.dark .card.selected { border-color: #5b8bf5; box-shadow: 0 0 0 2px #5b8bf5; }
.card .brief { display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical; overflow: hidden; }
.card.broken { cursor: default; padding: 12px; }
.card .thumb { width: 100%; aspect-ratio: 4 / 3; object-fit: cover; object-position: top; background: #fff; margin: 0;
  border-bottom: 1px solid var(--block-border-color); }
.card .thumb.none { display: grid; place-items: center; color: var(--body-text-color-subdued);
  background: var(--background-fill-secondary); }
.card .about { padding: 10px 12px 12px; display: block; }
.card h3 { font-size: 1rem; font-weight: 600; margin: 0 0 4px; overflow-wrap: anywhere; }
.card p { margin: 4px 0 0; font-size: .86rem; overflow-wrap: anywhere; }
.card .score { font-size: .86rem; font-variant-numeric: tabular-nums; }
.card svg { width: 100%; height: 40px; margin-top: 6px; }
.state { font-size: .75rem; padding: 1px 8px; border-radius: 99px; border: 1px solid currentColor; color: #5a6880; }
.dark .state { color: #a9b6c8; }
.state.training, .state.judging, .state.stopping { color: #1f4fbf; font-weight: 600; }
.dark .state.training, .dark .state.judging, .dark .state.stopping { color: #8fb0ff; }
.state.failed { color: #b91c1c; }
.dark .state.failed { color: #f87171; }
.bar { height: 5px; border-radius: 9px; background: var(--block-border-color); margin: 8px 0 4px; overflow: hidden; }
.bar i { display: block; height: 100%; background: #1f4fbf; }
.dark .bar i { background: #5b8bf5; }
.empty { text-align: center; padding: 48px 16px; border: 1px dashed var(--block-border-color); border-radius: 10px; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(260px, 100%), 1fr)); gap: 14px;
  align-items: start; }
.charts figure, .charts figcaption { margin: 0; }
.charts figure { min-width: 0; padding: 10px 12px; border: 1px solid var(--block-border-color); border-radius: 10px;
  background: var(--block-background-fill); }
.charts figcaption { font-size: .86rem; font-weight: 600; overflow-wrap: anywhere; }
.charts figcaption .muted { font-weight: 400; }
.charts svg { width: 100%; height: auto; display: block; }
polyline { fill: none; stroke-width: 1.8; stroke: #1f4fbf; vector-effect: non-scaling-stroke; stroke-linejoin: round;
  stroke-linecap: round; }
.dark polyline { stroke: #8fb0ff; }
polyline.c1 { stroke: #c2410c; } .dark polyline.c1 { stroke: #fb9a62; }
polyline.c2 { stroke: #15803d; } .dark polyline.c2 { stroke: #6fd08c; }
polyline.c3 { stroke: #7e22ce; } .dark polyline.c3 { stroke: #c79bf2; }
polyline.c4 { stroke: #0e7490; } .dark polyline.c4 { stroke: #67cfe6; }
polyline.c5 { stroke: #a16207; } .dark polyline.c5 { stroke: #e2bd5d; }
.legend { font-size: .78rem; display: flex; flex-wrap: wrap; gap: 2px 12px; font-variant-numeric: tabular-nums; }
.key::before { content: ""; display: inline-block; width: 9px; height: 9px; border-radius: 2px; margin-right: 5px;
  background: #1f4fbf; }
.key.c1::before { background: #c2410c; } .key.c2::before { background: #15803d; }
.key.c3::before { background: #7e22ce; } .key.c4::before { background: #0e7490; }
.key.c5::before { background: #a16207; }
rect.real { fill: #a3adbd; } .dark rect.real { fill: #66738a; }
rect.sampled, .key.sampled::before { fill: #1f4fbf; background: #1f4fbf; }
.dark rect.sampled { fill: #7aa2ff; } .dark .key.sampled::before { background: #7aa2ff; }
.key.real::before { background: #a3adbd; }
line.axis { stroke: var(--body-text-color-subdued); stroke-width: 1; }
.ends { display: flex; justify-content: space-between; gap: 8px; font-size: .75rem; overflow-wrap: anywhere; }
.levels { font-size: .8rem; display: grid; gap: 5px; margin-top: 6px; }
.level { display: grid; grid-template-columns: minmax(0, 1fr) 3.6em; gap: 1px; align-items: center; }
.level span { grid-column: 1 / -1; overflow-wrap: anywhere; line-height: 1.2; }
.level i { height: 7px; border-radius: 2px; min-width: 1px; }
.level i.real { background: #a3adbd; } .level i.sampled { background: #1f4fbf; }
.dark .level i.sampled { background: #7aa2ff; }
.level b { font-weight: 400; text-align: right; font-variant-numeric: tabular-nums; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 14px; margin: 4px 0 12px; font-size: .9rem; }
dt { color: var(--body-text-color-subdued); } dd { margin: 0; overflow-wrap: anywhere; }
.grid-wrap .grid-container { grid-template-columns: repeat(var(--grid-cols), minmax(0, 1fr)) !important; }
.block:has(> label[data-testid="block-label"]) { display: flex; flex-direction: column; }
.block > label[data-testid="block-label"] { position: static; box-shadow: none; flex: none; }
.block > label[data-testid="block-label"] ~ .image-container,
.block > label[data-testid="block-label"] ~ button { flex: 1 1 auto; min-height: 0; height: auto; }
.image-frame img { width: 100%; height: 100%; object-fit: contain; }
.crisp img { image-rendering: pixelated; }
#compared .grid-wrap, #gallery .grid-wrap { max-height: none; }
.console-output textarea { font-family: var(--font-mono); font-size: .82rem; }
table.scores { width: 100%; border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
table.scores th, table.scores td { padding: 5px 10px; border-bottom: 1px solid var(--block-border-color);
  text-align: right; white-space: nowrap; }
table.scores th:first-child, table.scores td:first-child { text-align: left; }
.downloads .label-clear-button { display: none; }
.downloads td { padding: 6px 10px; }
.wide { overflow-x: auto; }
.sheets { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(260px, 100%), 1fr)); gap: 14px; }
.sheets figure { margin: 0; }
.sheets img { width: 100%; image-rendering: pixelated; border-radius: 6px; background: #fff; }
#run-details { position: sticky; top: 12px; max-height: calc(100vh - 24px); overflow-y: auto; overflow-x: hidden;
  flex-wrap: nowrap; }
#run-details > * { flex: none; }
@media (max-width: 900px) { #run-details { position: static; max-height: none; } }
@media (max-width: 640px) {
  .gradio-container { padding: 0 10px 24px !important; }
  #head { flex-wrap: wrap; gap: 0; }
  #head > * { flex: 1 1 100%; }
  #head .title { font-size: 1.15rem; margin: 0; }
  #gallery .grid-container { grid-template-columns: repeat(4, minmax(0, 1fr)) !important; }
}
"""

SELECT_CARD = """
let focused = null;
element.addEventListener('focusin', e => { focused = e.target.dataset ? e.target.dataset.run : null; });
element.addEventListener('click', e => {
  const card = e.target.closest('button[data-run]');
  if (card) trigger('select', {run: card.dataset.run});
});
watch('value', () => {
  if (focused === null || document.activeElement !== document.body) return;
  const card = [...element.querySelectorAll('button[data-run]')].find(b => b.dataset.run === focused);
  if (card) card.focus({preventScroll: true});
});
"""

SCROLL_TO_DETAILS = """() => {
  if (window.innerWidth <= 900) document.getElementById('run-details').scrollIntoView({behavior: 'smooth'});
}"""
