"""Every word that a person reads, by language (gettext). Catalogues lie beside this file in `locale/`."""

from __future__ import annotations


def _(text: str) -> str:
    return text
