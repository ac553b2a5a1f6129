"""The colours of the counter: calm grounds, one accent, and a meaning never by colour alone."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="store-agent",
    primary="#5fa8a0",
    secondary="#8fb0d6",
    accent="#e6b450",
    success="#86c06c",
    warning="#e6a23c",
    error="#e0736a",
    foreground="#d8dee6",
    background="#12161b",
    surface="#191f26",
    panel="#222a33",
    dark=True,
)
LIGHT = Theme(
    name="store-agent-light",
    primary="#1f7a70",
    secondary="#34648f",
    accent="#9a6200",
    success="#2f7d32",
    warning="#a35b00",
    error="#b3261e",
    foreground="#1d252c",
    background="#f6f5f1",
    surface="#ffffff",
    panel="#e9e7e0",
    dark=False,
)
THEMES = (DARK, LIGHT)
