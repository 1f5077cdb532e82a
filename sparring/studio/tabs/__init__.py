"""The tabs of the page. Each function `tab` lays out one tab and connects its events."""
