"""Codes of a brand's own (its member number, its app's QR), told apart by patterns from the configuration.

There is no public standard for a member QR. A pattern comes before phones and products, and never before our own codes,
signed codes, invoices and carriers, which are told apart for certain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from store_agent.scan.kinds import ScanKind
from store_agent.trouble import Trouble
from store_agent.words import _

ALLOWED = (ScanKind.MEMBER_CODE, ScanKind.COUPON, ScanKind.PICKUP_CODE, ScanKind.STAFF_BADGE)
LONGEST_PATTERN = 200
LONGEST_TEXT = 300
MOST_OPEN_REPEATS = 3

# Python's matcher backtracks without a limit. With no repeated group and at most three open repeats, the worst pattern
# costs the third power of a short text, so that a slip in a configuration cannot freeze a counter.
REPEATED_GROUP = re.compile(r"\)(?:[*+?]|\{)")
OPEN_REPEAT = re.compile(r"[*+]|\{\d*,\d*\}")


@dataclass(frozen=True, slots=True)
class BrandPattern:
    """One checked pattern. Its group named `value`, else the whole text, is what the brand's rows hold as the code."""

    pattern: re.Pattern[str]
    kind: ScanKind


def brand_patterns(written: Iterable[tuple[str, str]]) -> tuple[BrandPattern, ...]:
    """Check patterns as they stand in a configuration, (regular expression, kind), in order of precedence.

    Trouble for one that is none, has no such kind, or could take for ever.
    """
    return tuple(_checked(expression, kind) for expression, kind in written)


def read_brand(text: str, patterns: Iterable[BrandPattern]) -> tuple[ScanKind, str] | None:
    """Kind and code of the first pattern that fits the whole text."""
    if len(text) > LONGEST_TEXT:
        return None
    for brand in patterns:
        found = brand.pattern.fullmatch(text)
        if found is None:
            continue
        value = found.groupdict().get("value", found[0])
        if value:
            return brand.kind, value
    return None


def _checked(expression: str, kind: str) -> BrandPattern:
    if kind not in ALLOWED:
        raise Trouble(
            _("A brand's code pattern cannot be of the kind {kind}.").format(kind=kind),
            _("Use one of: {kinds}.").format(kinds=", ".join(ALLOWED)),
        )
    plain = re.sub(r"\\.|\[\^?\]?[^\]]*\]", "x", expression)
    if (
        len(expression) > LONGEST_PATTERN
        or REPEATED_GROUP.search(plain)
        or len(OPEN_REPEAT.findall(plain)) > MOST_OPEN_REPEATS
    ):
        raise Trouble(
            _("The brand's code pattern {pattern} could take too long to try.").format(pattern=expression),
            _("Repeat no group, and use at most three of * and +. A fixed length is always fine."),
        )
    try:
        return BrandPattern(re.compile(expression), ScanKind(kind))
    except (re.error, OverflowError) as error:
        raise Trouble(
            _("The brand's code pattern {pattern} is not a regular expression: {error}.").format(
                pattern=expression, error=error
            ),
            _("Correct it in the configuration."),
        ) from error
