"""Every word that a person reads, by language (gettext). Catalogues lie in `store_agent/locale/`.

Message ids are the English sentences. Here is only which language is spoken and the look-up; `formats` writes money and
moments, `refusals` holds the sentence of every refusal, `compile` keeps the catalogues in step with the source.
"""

from __future__ import annotations

import gettext as _gettext
import locale as _locale
import os
from collections.abc import Mapping
from pathlib import Path

LANGUAGES = ("zh-TW", "zh-HK", "en")
DOMAIN = "store_agent"
FOLDER = Path(__file__).parent.parent / "locale"

_spoken = "en"
_catalogue: _gettext.NullTranslations = _gettext.NullTranslations()


def _(text: str) -> str:
    """The sentence in the language that is spoken now; in English where the catalogue does not know it."""
    # The catalogue's own heading stands under the empty text and is for nobody's eyes.
    return _catalogue.gettext(text) if text else ""


def ngettext(one: str, many: str, count: int) -> str:
    """The sentence for that many."""
    return _catalogue.ngettext(one, many, count)


def later(text: str) -> str:
    """The text as it is, marked for the catalogues: for a table that is looked up with `_` when it is shown."""
    return text


def language() -> str:
    """The language that is spoken now."""
    return _spoken


def use_language(code: str) -> None:
    """Speak this one of `LANGUAGES` from now on. One process speaks one language."""
    global _spoken, _catalogue
    _catalogue = catalogue(code)
    _spoken = code


def catalogue(code: str) -> _gettext.NullTranslations:
    """The translations of one of `LANGUAGES`."""
    if code not in LANGUAGES:
        raise ValueError(f"not one of {LANGUAGES}: {code!r}")
    if code == "en":
        return _gettext.NullTranslations()
    return _gettext.translation(DOMAIN, FOLDER, [code.replace("-", "_")])


def choose_language(wanted: str = "auto", environment: Mapping[str, str] | None = None) -> str:
    """One of `LANGUAGES`: the wanted one, or for `auto` that of the machine, as gettext reads LANGUAGE, LC_ALL, LANG.

    Any Chinese but that of Hong Kong and Macau becomes `zh-TW`, anything else English.
    """
    if wanted in LANGUAGES:
        return wanted
    environment = os.environ if environment is None else environment
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if named := environment.get(name, ""):
            return _nearest(named.split(":")[0])
    # Windows keeps its language elsewhere than in the environment.
    return _nearest(_locale.getlocale()[0] or "") if os.name == "nt" else "en"


def _nearest(name: str) -> str:
    name = name.lower().replace("-", "_").split(".")[0]
    if name.startswith(("zh", "chinese", "yue")):
        return "zh-HK" if any(part in name for part in ("hk", "mo", "hong kong", "macao", "yue")) else "zh-TW"
    return "en"
