"""What one benefit takes off a basket, by line, and what is missing where it takes nothing. Only arithmetic: whether a
campaign runs here and now is `campaigns.py`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from store_agent.domain.baskets import Basket, Line
from store_agent.domain.benefits import Benefit, BenefitKind, Step
from store_agent.domain.money import allocate, share
from store_agent.domain.products import NO_PRODUCTS, ProductSet


@dataclass(frozen=True, slots=True)
class Remainder:
    """What of each line is still to pay, and how many of its pieces no benefit has counted yet.

    A piece counts once: neither the paid nor the free piece of a pair can be in a second pair or in a bundle.
    """

    lines: tuple[Line, ...]
    left_minor: tuple[int, ...]
    pieces: tuple[int, ...]

    @classmethod
    def of(cls, basket: Basket) -> Remainder:
        """All of it. Money without a product has no pieces."""
        lines = basket.lines
        pieces = tuple(line.quantity if line.gtin else 0 for line in lines)
        return cls(lines, tuple(line.total_minor for line in lines), pieces)

    def after(self, saving: Saving) -> Remainder:
        """What is left once this was saved."""
        left = tuple(left - saved for left, saved in zip(self.left_minor, saving.by_line_minor, strict=True))
        pieces = tuple(here - taken for here, taken in zip(self.pieces, saving.pieces, strict=True))
        return replace(self, left_minor=left, pieces=pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What would have to join the basket."""

    add_minor: int = 0
    add_quantity: int = 0
    products: ProductSet = NO_PRODUCTS
    """Of which the pieces would have to be; anything if empty."""
    up_to_minor: int = 0
    """What such a piece may cost at most, 0 if anything."""
    needs_lines: bool = False
    """Only a total is known: scan the products, then it can be said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nudge:
    """Add so much, and the coupon saves so much instead."""

    add_minor: int
    saves_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FreePieces:
    """So many pieces of the basket cost nothing."""

    gtin: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """What a benefit takes off each line of the basket, in the basket's order."""

    by_line_minor: tuple[int, ...]
    pieces: tuple[int, ...]
    """Pieces of each line that this benefit has counted."""
    free: tuple[FreePieces, ...] = ()
    hand_out: int = 0
    """Gift: pieces still to be given, beside those in the basket."""
    missing: Missing | None = None
    next_step: Nudge | None = None

    @property
    def minor(self) -> int:
        """All lines together."""
        return sum(self.by_line_minor)


def nothing(rest: Remainder, missing: Missing | None = None, next_step: Nudge | None = None) -> Saving:
    """No saving, and why."""
    none = (0,) * len(rest.lines)
    return Saving(by_line_minor=none, pieces=none, missing=missing, next_step=next_step)


def save(benefit: Benefit, eligible: Collection[int], rest: Remainder, measured_minor: int) -> Saving:
    """What the benefit takes off the eligible lines (by their place). `measured_minor` is what a threshold looks at."""
    return _RULES[benefit.kind](benefit, eligible, rest, measured_minor)


def worth(total_minor: int, pay_percent: int, off_minor: int) -> int:
    """What comes off a total by per cent or amount, whichever is more; never less than nothing or more than all."""
    by_percent = total_minor - share(total_minor, pay_percent, 100)
    return min(total_minor, max(0, by_percent, off_minor))


def _part(benefit: Benefit, eligible: Collection[int], rest: Remainder, measured_minor: int) -> Saving:
    off_minor = worth(_left(eligible, rest), benefit.pay_percent, benefit.off_minor)
    return _spread(off_minor, eligible, rest)


def _threshold(benefit: Benefit, eligible: Collection[int], rest: Remainder, measured_minor: int) -> Saving:
    left = _left(eligible, rest)

    def saves(step: Step, total_minor: int) -> int:
        return worth(total_minor, step.pay_percent, step.off_minor)

    reached = [step for step in benefit.steps if step.at_least_minor <= measured_minor]
    best_minor = max((saves(step, left) for step in reached), default=0)
    # A higher step is worth a word only if it saves more: some chains write a step twice, or a poorer one above.
    ahead = [
        Nudge(add_minor=step.at_least_minor - measured_minor, saves_minor=saved)
        for step in sorted(benefit.steps, key=lambda step: step.at_least_minor)
        if step not in reached and (saved := saves(step, left + step.at_least_minor - measured_minor)) > best_minor
    ]
    next_step = ahead[0] if ahead else None
    if not best_minor and next_step:
        return nothing(rest, Missing(add_minor=next_step.add_minor), next_step)
    return replace(_spread(best_minor, eligible, rest), next_step=next_step)


def _gift(benefit: Benefit, eligible: Collection[int], rest: Remainder, measured_minor: int) -> Saving:
    given = [n for n in _pieces(rest) if benefit.free.has(rest.lines[n].gtin, rest.lines[n].categories)]
    free = given[: benefit.quantity]
    return replace(_give(free, free, rest), hand_out=benefit.quantity - len(free))


def _bogo(benefit: Benefit, eligible: Collection[int], rest: Remainder, measured_minor: int) -> Saving:
    may_be_free = {
        n
        for n, line in enumerate(rest.lines)
        if (benefit.free.has(line.gtin, line.categories) if benefit.free else n in eligible)
    }
    paid: list[int] = []
    payers: list[int] = []
    free: list[int] = []
    # From the dearest down, each piece is given to one paid before it, so a free one never costs more than its payer.
    # Of equal prices, those that can only pay come first.
    for n in sorted(_pieces(rest), key=lambda n: (-rest.lines[n].unit_minor, n in may_be_free)):
        if paid and n in may_be_free and (not benefit.at_most or len(free) < benefit.at_most):
            payers.append(paid.pop())
            free.append(n)
        elif n in eligible:
            paid.append(n)
    if free:
        return _give(free, payers + free, rest)
    dearest_minor = rest.lines[paid[0]].unit_minor if paid else 0
    return nothing(rest, Missing(add_quantity=1 if paid else 2, products=benefit.free, up_to_minor=dearest_minor))


def _bundle(benefit: Benefit, eligible: Collection[int], rest: Remainder, measured_minor: int) -> Saving:
    saved = [0] * len(rest.lines)
    here = [pieces if n in eligible else 0 for n, pieces in enumerate(rest.pieces)]
    bundles = 0
    missing: Missing | None = None
    while benefit.parts and (not benefit.at_most or bundles < benefit.at_most):
        picked, lacking = _pick(benefit.parts, here, rest.lines)
        if lacking:
            missing = Missing(add_quantity=1, products=lacking)
            break
        prices = [rest.lines[n].unit_minor for n in picked]
        if benefit.together_minor is None:
            off_minor = worth(sum(prices), benefit.pay_percent, benefit.off_minor)
        else:
            off_minor = max(0, sum(prices) - benefit.together_minor)
        if not off_minor:
            break
        for n, part_minor in zip(picked, allocate(off_minor, prices), strict=True):
            saved[n] += part_minor
            here[n] -= 1
        bundles += 1
    if not bundles:
        return nothing(rest, missing)
    taken = [pieces - here[n] if n in eligible else 0 for n, pieces in enumerate(rest.pieces)]
    return Saving(by_line_minor=tuple(saved), pieces=tuple(taken))


def _pick(
    parts: Sequence[ProductSet], here: Sequence[int], lines: Sequence[Line]
) -> tuple[list[int], ProductSet | None]:
    """The line of one piece for each part, the dearest first; else the part that has none."""
    dearest_first = sorted((n for n in range(len(lines)) if here[n]), key=lambda n: -lines[n].unit_minor)
    choices = [(part, [n for n in dearest_first if part.has(lines[n].gtin, lines[n].categories)]) for part in parts]
    picked: list[int] = []
    # The part with the least to choose from goes first, so that a wider one does not take its only piece.
    for part, fitting in sorted(choices, key=lambda choice: sum(here[n] for n in choice[1])):
        chosen = next((n for n in fitting if here[n] > picked.count(n)), None)
        if chosen is None:
            return [], part
        picked.append(chosen)
    return picked, None


def _shipping(benefit: Benefit, eligible: Collection[int], rest: Remainder, measured_minor: int) -> Saving:
    return nothing(rest)


def _left(eligible: Collection[int], rest: Remainder) -> int:
    return sum(rest.left_minor[n] for n in eligible)


def _spread(off_minor: int, eligible: Collection[int], rest: Remainder) -> Saving:
    """Over the eligible lines in proportion to what is left of them (UNIQLO HK; largest remainder)."""
    weights = [left if n in eligible else 0 for n, left in enumerate(rest.left_minor)]
    return replace(nothing(rest), by_line_minor=allocate(off_minor, weights))


def _give(free: Sequence[int], counted: Sequence[int], rest: Remainder) -> Saving:
    free_of, counted_of = Counter(free), Counter(counted)
    return Saving(
        by_line_minor=tuple(free_of[n] * line.unit_minor for n, line in enumerate(rest.lines)),
        pieces=tuple(counted_of[n] for n in range(len(rest.lines))),
        free=tuple(FreePieces(gtin=rest.lines[n].gtin, quantity=free_of[n]) for n in sorted(free_of)),
    )


def _pieces(rest: Remainder) -> list[int]:
    """The place of its line for every piece that costs something and was not counted yet, dearest first."""
    order = sorted(range(len(rest.lines)), key=lambda n: -rest.lines[n].unit_minor)
    return [n for n in order if rest.lines[n].unit_minor > 0 for _ in range(rest.pieces[n])]


_RULES: dict[BenefitKind, Callable[[Benefit, Collection[int], Remainder, int], Saving]] = {
    BenefitKind.GIFT: _gift,
    BenefitKind.BOGO: _bogo,
    BenefitKind.BUNDLE: _bundle,
    BenefitKind.PERCENT: _part,
    BenefitKind.AMOUNT: _part,
    BenefitKind.THRESHOLD: _threshold,
    BenefitKind.FREE_SHIPPING: _shipping,
}
