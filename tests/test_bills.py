"""What is to pay once coupons are taken: several together, line by line, to the last dollar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store_agent.domain.baskets import Basket, Line
from store_agent.domain.benefits import Benefit, BenefitKind, Measured, Step
from store_agent.domain.bills import QuoteReason, apply, best, refuse_together
from store_agent.domain.campaigns import Campaign, Situation, Stacking
from store_agent.domain.coupons import Coupon, LineSaving
from store_agent.domain.products import ProductSet
from store_agent.domain.quotas import Quota
from store_agent.domain.quotes import Offer, Quote, VerdictKind, quote

HERE = Situation(store="tpe-1", zone="Asia/Taipei", at=datetime(2026, 3, 7, 4, tzinfo=UTC), member_id="m1")
GTINS = tuple(f"{n:014}" for n in range(1, 5))
PERCENT_80 = Benefit(kind=BenefitKind.PERCENT, pay_percent=80)
OFF_100 = Benefit(kind=BenefitKind.AMOUNT, off_minor=100)


def offer(coupon_id: str, benefit: Benefit, stacking: Stacking = Stacking.STACKS, **limits: object) -> Offer:
    campaign = Campaign(id=f"c-{coupon_id}", benefit=benefit, stacking=stacking, **limits)  # type: ignore[arg-type]
    return Offer(coupon=Coupon(id=coupon_id, campaign_id=campaign.id), campaign=campaign)


def quoted(basket: Basket | int, *offers: Offer) -> Quote:
    return quote(Basket.of_total("TWD", basket) if isinstance(basket, int) else basket, HERE, offers)


def test_coupons_that_stack_are_taken_per_cent_first_each_off_what_is_left() -> None:
    both = quoted(1000, offer("a", OFF_100), offer("z", PERCENT_80))
    bill = apply(both, best(both))

    assert [(one.coupon_id, one.saves_minor) for one in bill.taken] == [("z", 200), ("a", 100)]
    assert (bill.total_minor, bill.saved_minor) == (700, 300)


def test_a_coupon_that_stands_alone_wins_only_if_it_saves_more_than_all_others_together() -> None:
    stacking = (offer("a", OFF_100), offer("z", PERCENT_80))
    half = offer("h", Benefit(kind=BenefitKind.PERCENT, pay_percent=50), Stacking.ALONE)

    assert best(quoted(1000, *stacking, half)) == ("h",)
    assert best(quoted(400, *stacking, half)) == ("h",)
    assert best(quoted(200, *stacking, half)) == ("z", "a")


def test_of_those_of_which_only_one_may_be_used_the_best_joins_all_that_stack() -> None:
    found = quoted(
        1000,
        offer("stacks", OFF_100),
        offer("less", Benefit(kind=BenefitKind.AMOUNT, off_minor=50), Stacking.BEST_ONE),
        offer("more", PERCENT_80, Stacking.BEST_ONE),
    )

    assert best(found) == ("more", "stacks")
    assert apply(found, best(found)).total_minor == 700


@pytest.mark.parametrize(
    ("chosen", "reason"),
    [
        ((), None),
        (("s1", "s2", "b1"), None),
        (("a1",), None),
        (("a1", "s1"), QuoteReason.ALONE),
        (("b1", "b2"), QuoteReason.BEST_ONE),
        (("s1", "never-heard-of"), QuoteReason.NOT_USABLE),
        (("s1", "elsewhere"), QuoteReason.NOT_USABLE),
    ],
)
def test_what_may_not_be_used_together_is_refused(chosen: Sequence[str], reason: QuoteReason | None) -> None:
    kinds = {"s1": Stacking.STACKS, "s2": Stacking.STACKS, "b1": Stacking.BEST_ONE, "b2": Stacking.BEST_ONE}
    offers = [offer(coupon_id, OFF_100, stacking) for coupon_id, stacking in (kinds | {"a1": Stacking.ALONE}).items()]
    found = quoted(1000, *offers, offer("elsewhere", OFF_100, stores=("tpe-9",)))
    refusal = refuse_together(found, chosen)

    assert (refusal.reason if refusal else None) == reason


def test_two_coupons_of_a_campaign_share_its_limit() -> None:
    campaign = Campaign(id="c", benefit=OFF_100, stacking=Stacking.STACKS, per_member=3)
    used_twice = (Quota(id="c/member/m1", campaign_id="c", member_id="m1", limit=3, used=2),)
    offers = [Offer(coupon=Coupon(id=id, campaign_id="c"), campaign=campaign, quotas=used_twice) for id in ("k1", "k2")]
    found = quoted(1000, *offers)

    assert [one.kind for one in found.verdicts] == [VerdictKind.USABLE, VerdictKind.USABLE]
    assert best(found) == ("k1",)
    refusal = refuse_together(found, ("k1", "k2"))
    assert refusal is not None
    assert refusal.facts == {"coupon_id": "k2"}


@pytest.mark.parametrize(("measured", "total_minor"), [(Measured.BEFORE, 300), (Measured.AFTER, 400)])
def test_a_threshold_is_measured_before_or_after_the_other_discounts(measured: Measured, total_minor: int) -> None:
    spend = Benefit(kind=BenefitKind.THRESHOLD, steps=(Step(at_least_minor=500, off_minor=100),))
    found = quoted(500, offer("spend", spend, measured=measured), offer("off", OFF_100))
    bill = apply(found, ("spend", "off"))

    assert bill.total_minor == total_minor
    assert bill.unneeded == (() if measured is Measured.BEFORE else ("spend",))


def test_a_coupon_that_takes_nothing_is_left_with_the_member() -> None:
    found = quoted(80, offer("a", OFF_100), offer("b", OFF_100))

    assert best(found) == ("a",)
    assert apply(found, ("a", "b")).unneeded == ("b",)
    assert apply(found, ("nothing-known", "a")).unneeded == ("nothing-known",)


def test_a_piece_that_was_free_once_is_not_free_twice() -> None:
    basket = Basket(currency="TWD", lines=(Line(gtin=GTINS[0], quantity=2, unit_minor=100),))
    bogo = Benefit(kind=BenefitKind.BOGO)
    gift = Benefit(kind=BenefitKind.GIFT, free=ProductSet(gtins=(GTINS[0],)), quantity=2)

    two = quoted(basket, offer("a", bogo), offer("b", bogo))
    assert apply(two, ("a", "b")).total_minor == 100
    # The voucher takes both pieces, so that there is no pair left to give one of.
    assert apply(quoted(basket, offer("a", bogo), offer("g", gift)), ("a", "g")).total_minor == 0


def test_a_voucher_for_something_outside_the_basket_is_not_spent_without_being_chosen() -> None:
    found = quoted(500, offer("gift", Benefit(kind=BenefitKind.GIFT, free=ProductSet(gtins=GTINS[:1]))))

    assert best(found) == ()
    (taken,) = apply(found, ("gift",)).taken
    assert (taken.saves_minor, taken.hand_out) == (0, 1)


def test_a_bill_says_which_lines_became_cheaper() -> None:
    lines = (Line(gtin=GTINS[0], unit_minor=300), Line(gtin=GTINS[1], unit_minor=100))
    found = quoted(
        Basket(currency="TWD", lines=lines),
        offer("a", OFF_100, included=ProductSet(gtins=(GTINS[1],)), minimum_minor=9),
    )

    bill = apply(found, ("a",))
    assert bill.lines_minor == (300, 0)
    assert bill.taken[0].lines == (LineSaving(gtin=GTINS[1], saved_minor=100),)


sets = st.builds(ProductSet, gtins=st.lists(st.sampled_from(GTINS), max_size=2).map(tuple))
steps = st.builds(
    Step, at_least_minor=st.integers(0, 900), pay_percent=st.integers(-9, 120), off_minor=st.integers(-9, 400)
)
benefits = st.builds(
    Benefit,
    kind=st.sampled_from(BenefitKind),
    pay_percent=st.integers(-9, 120),
    off_minor=st.integers(-9, 400),
    together_minor=st.none() | st.integers(-9, 300),
    steps=st.lists(steps, max_size=3).map(tuple),
    parts=st.lists(sets, max_size=3).map(tuple),
    free=sets,
    at_most=st.integers(0, 3),
    quantity=st.integers(0, 3),
)
campaigns = st.builds(
    Campaign,
    id=st.sampled_from(("c1", "c2")),
    benefit=benefits,
    included=sets,
    excluded=sets,
    minimum_minor=st.integers(0, 300),
    measured=st.sampled_from(Measured),
    per_member=st.integers(0, 2),
    stacking=st.sampled_from(Stacking),
)
baskets = st.builds(
    Basket,
    currency=st.just("TWD"),
    lines=st.lists(
        st.builds(Line, gtin=st.sampled_from(GTINS), quantity=st.integers(1, 4), unit_minor=st.integers(0, 300))
        | st.builds(Line, unit_minor=st.integers(0, 300)),
        max_size=5,
    ).map(tuple),
)


@st.composite
def quotes(draw: st.DrawFn) -> Quote:
    offers = [
        Offer(coupon=Coupon(id=f"k{n}", campaign_id=campaign.id), campaign=campaign)
        for n, campaign in enumerate(draw(st.lists(campaigns, max_size=5)))
    ]
    return quote(draw(baskets), HERE, offers)


@given(quotes())
def test_each_verdict_says_exactly_what_it_saves_by_line_and_never_more_than_the_line_costs(found: Quote) -> None:
    for verdict in found.verdicts:
        assert sum(verdict.line_savings_minor) == verdict.saves_minor >= 0
        for saved, line in zip(verdict.line_savings_minor, found.basket.lines, strict=False):
            assert 0 <= saved <= line.total_minor
        assert (verdict.missing is not None) == (verdict.kind is VerdictKind.USABLE_IF)
        assert (verdict.refusal is not None) == (verdict.kind is VerdictKind.NOT_HERE)
        alone = apply(found, (verdict.coupon_id,))
        assert alone.saved_minor == verdict.saves_minor


@given(quotes(), st.data())
def test_whatever_is_chosen_no_line_falls_below_zero_and_all_sums_agree(found: Quote, data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from([one.coupon_id for one in found.verdicts] or ["none"]), max_size=6))
    bill = apply(found, chosen)

    assert all(left >= 0 for left in bill.lines_minor)
    assert bill.total_minor + bill.saved_minor == found.basket.total_minor
    for taken in bill.taken:
        assert taken.saves_minor == sum(line.saved_minor for line in taken.lines)
        assert taken.saves_minor or taken.hand_out
    assert {taken.coupon_id for taken in bill.taken} | set(bill.unneeded) == set(chosen)
    assert apply(found, reversed(chosen)).lines_minor == bill.lines_minor


@given(quotes())
def test_the_best_choice_is_allowed_saves_at_least_as_much_as_any_coupon_alone_and_wastes_none(found: Quote) -> None:
    chosen = best(found)
    total_minor = apply(found, chosen).total_minor

    assert refuse_together(found, chosen) is None
    for verdict in found.verdicts:
        assert found.basket.total_minor - verdict.saves_minor >= total_minor
    for coupon_id in chosen:
        assert apply(found, [other for other in chosen if other != coupon_id]).total_minor > total_minor
