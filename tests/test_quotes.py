"""What every coupon of a member is worth on a basket: usable, usable if, or not here and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store_agent.domain.baskets import Basket, Line
from store_agent.domain.benefits import Benefit, BenefitKind, Step
from store_agent.domain.campaigns import Campaign, CampaignReason, Situation
from store_agent.domain.coupons import Coupon, CouponReason, Use
from store_agent.domain.products import ProductSet
from store_agent.domain.quotas import Quota, QuotaReason
from store_agent.domain.quotes import Offer, Verdict, VerdictKind, quote
from store_agent.domain.savings import FreePieces, Missing, Nudge

AT = datetime(2026, 3, 7, 4, tzinfo=UTC)
HERE = Situation(store="tpe-1", zone="Asia/Taipei", at=AT, member_id="m1")
COFFEE, CAKE, MUG = "04710000000014", "04710000000021", "04710000000038"


def line(gtin: str, quantity: int, unit_minor: int, *categories: str) -> Line:
    return Line(gtin=gtin, quantity=quantity, unit_minor=unit_minor, categories=categories)


def basket(*lines: Line, currency: str = "TWD") -> Basket:
    return Basket(currency=currency, lines=lines)


def campaign(kind: BenefitKind, **benefit: object) -> Campaign:
    return Campaign(id="c1", benefit=replace(Benefit(kind=kind), **benefit))  # type: ignore[arg-type]


def verdict(campaign: Campaign, basket: Basket, *quotas: Quota, situation: Situation = HERE) -> Verdict:
    offer = Offer(coupon=Coupon(id="k1", campaign_id=campaign.id), campaign=campaign, quotas=quotas)
    return quote(basket, situation, [offer]).verdicts[0]


PERCENT_85 = campaign(BenefitKind.PERCENT, pay_percent=85)
OFF_20 = campaign(BenefitKind.AMOUNT, off_minor=20)
SPEND = campaign(
    BenefitKind.THRESHOLD,
    steps=(Step(at_least_minor=50000, pay_percent=90), Step(at_least_minor=40000, pay_percent=95)),
)
"""滿$400 享95折, $500 享9折, in cents."""
BOGO = campaign(BenefitKind.BOGO)
BUNDLE = campaign(
    BenefitKind.BUNDLE, parts=(ProductSet(gtins=(COFFEE,)), ProductSet(categories=("cakes",))), together_minor=150
)
VOUCHER = campaign(BenefitKind.GIFT, free=ProductSet(gtins=(MUG,)))


def test_85_per_cent_is_paid_of_a_total() -> None:
    assert verdict(PERCENT_85, Basket.of_total("TWD", 1000)).saves_minor == 150
    # 85 % of 99 is 84.15 and of 90 is 76.5: the price is rounded, half up, and not the discount.
    assert verdict(PERCENT_85, Basket.of_total("TWD", 99)).saves_minor == 15
    assert verdict(PERCENT_85, Basket.of_total("TWD", 90)).saves_minor == 13


def test_a_discount_is_spread_over_the_lines_in_proportion_and_sums_exactly() -> None:
    found = verdict(OFF_20, basket(line(COFFEE, 1, 100), line(CAKE, 1, 100), line(MUG, 1, 100)))

    assert found.line_savings_minor == (7, 7, 6)
    assert found.saves_minor == 20


def test_an_amount_never_takes_off_more_than_there_is() -> None:
    found = verdict(OFF_20, Basket.of_total("TWD", 12))

    assert (found.kind, found.saves_minor) == (VerdictKind.USABLE, 12)


def test_a_campaign_written_wrongly_never_makes_a_basket_dearer_or_less_than_free() -> None:
    dearer = campaign(BenefitKind.PERCENT, pay_percent=120, off_minor=-5)
    negative = campaign(BenefitKind.PERCENT, pay_percent=-20)

    assert verdict(dearer, Basket.of_total("TWD", 100)).saves_minor == 0
    assert verdict(negative, Basket.of_total("TWD", 100)).saves_minor == 100


@pytest.mark.parametrize(
    ("total_minor", "kind", "saves_minor", "next_step"),
    [
        (36200, VerdictKind.USABLE_IF, 0, Nudge(add_minor=3800, saves_minor=2000)),
        (39999, VerdictKind.USABLE_IF, 0, Nudge(add_minor=1, saves_minor=2000)),
        (40000, VerdictKind.USABLE, 2000, Nudge(add_minor=10000, saves_minor=5000)),
        (46200, VerdictKind.USABLE, 2310, Nudge(add_minor=3800, saves_minor=5000)),
        (50000, VerdictKind.USABLE, 5000, None),
        (90000, VerdictKind.USABLE, 9000, None),
    ],
)
def test_a_threshold_takes_its_best_step_and_says_how_far_the_next_one_is(
    total_minor: int, kind: VerdictKind, saves_minor: int, next_step: Nudge | None
) -> None:
    found = verdict(SPEND, Basket.of_total("HKD", total_minor))

    assert (found.kind, found.saves_minor, found.next_step) == (kind, saves_minor, next_step)
    if next_step and kind is VerdictKind.USABLE_IF:
        assert found.missing == Missing(add_minor=next_step.add_minor)


def test_a_higher_step_that_saves_less_is_not_recommended() -> None:
    odd = campaign(
        BenefitKind.THRESHOLD, steps=(Step(at_least_minor=400, off_minor=100), Step(at_least_minor=500, off_minor=60))
    )

    assert verdict(odd, Basket.of_total("TWD", 450)).next_step is None
    assert verdict(odd, Basket.of_total("TWD", 500)).saves_minor == 100


def test_of_two_coffees_and_a_cake_the_cheaper_of_a_pair_is_free() -> None:
    found = verdict(BOGO, basket(line(CAKE, 1, 80), line(COFFEE, 2, 150)))

    assert found.free == (FreePieces(gtin=COFFEE, quantity=1),)
    assert found.line_savings_minor == (0, 150)


@pytest.mark.parametrize(("at_most", "saves_minor"), [(1, 90), (2, 160), (3, 160), (0, 160)])
def test_at_most_n_pieces_are_free(at_most: int, saves_minor: int) -> None:
    many = basket(line(COFFEE, 1, 100), line(CAKE, 1, 90), line(MUG, 1, 80), line("04710000000045", 1, 70))

    assert verdict(campaign(BenefitKind.BOGO, at_most=at_most), many).saves_minor == saves_minor


def test_only_the_allowed_set_may_be_free_and_only_at_an_equal_or_lower_price() -> None:
    cake_free = campaign(BenefitKind.BOGO, free=ProductSet(gtins=(CAKE,)))
    cake_free = replace(cake_free, included=ProductSet(gtins=(COFFEE,)))

    assert verdict(cake_free, basket(line(COFFEE, 2, 150), line(CAKE, 1, 150))).free == (
        FreePieces(gtin=CAKE, quantity=1),
    )
    dear = verdict(cake_free, basket(line(COFFEE, 1, 150), line(CAKE, 1, 151)))
    assert dear.kind is VerdictKind.USABLE_IF
    assert dear.missing == Missing(add_quantity=1, products=ProductSet(gtins=(CAKE,)), up_to_minor=150)


def test_one_coffee_alone_says_that_a_second_is_missing_and_what_it_may_cost() -> None:
    found = verdict(BOGO, basket(line(COFFEE, 1, 150)))

    assert (found.kind, found.missing) == (VerdictKind.USABLE_IF, Missing(add_quantity=1, up_to_minor=150))


def test_a_bundle_costs_its_price_and_takes_one_piece_of_each_part() -> None:
    found = verdict(BUNDLE, basket(line(COFFEE, 3, 120), line(CAKE, 1, 80, "cakes"), line(MUG, 1, 300)))

    assert found.saves_minor == 50
    assert found.line_savings_minor == (30, 20, 0)


def test_an_incomplete_bundle_names_the_part_that_is_missing() -> None:
    found = verdict(BUNDLE, basket(line(COFFEE, 3, 120)))

    assert (found.kind, found.missing) == (
        VerdictKind.USABLE_IF,
        Missing(add_quantity=1, products=ProductSet(categories=("cakes",))),
    )


def test_bundles_repeat_up_to_their_limit_and_a_wide_part_does_not_take_the_narrow_parts_only_piece() -> None:
    wide = campaign(
        BenefitKind.BUNDLE,
        parts=(ProductSet(gtins=(COFFEE, CAKE)), ProductSet(gtins=(COFFEE,))),
        off_minor=10,
        at_most=2,
    )

    assert verdict(wide, basket(line(COFFEE, 1, 120), line(CAKE, 1, 80))).saves_minor == 10
    assert verdict(wide, basket(line(COFFEE, 9, 120), line(CAKE, 9, 80))).saves_minor == 20


def test_a_bundle_that_is_dearer_than_its_parts_takes_nothing() -> None:
    found = verdict(BUNDLE, basket(line(COFFEE, 1, 70), line(CAKE, 1, 70, "cakes")))

    assert (found.kind, found.saves_minor) == (VerdictKind.USABLE_IF, 0)


def test_a_voucher_makes_its_item_free_in_the_basket_or_hands_it_out() -> None:
    inside = verdict(VOUCHER, basket(line(MUG, 2, 300), line(COFFEE, 1, 120)))
    assert (inside.saves_minor, inside.free, inside.hand_out) == (300, (FreePieces(gtin=MUG, quantity=1),), 0)

    beside = verdict(VOUCHER, basket(line(COFFEE, 1, 120)))
    assert (beside.kind, beside.saves_minor, beside.hand_out) == (VerdictKind.USABLE, 0, 1)
    assert verdict(VOUCHER, basket()).kind is VerdictKind.USABLE


def test_a_gift_does_not_count_towards_earning_it() -> None:
    from_500 = replace(VOUCHER, minimum_minor=500)

    short = verdict(from_500, basket(line(MUG, 1, 300), line(COFFEE, 2, 125)))
    assert (short.kind, short.missing) == (VerdictKind.USABLE_IF, Missing(add_minor=250))
    assert verdict(from_500, basket(line(MUG, 1, 300), line(COFFEE, 4, 125))).saves_minor == 300


def test_free_shipping_is_shown_with_what_to_do_instead() -> None:
    shipping = replace(
        campaign(BenefitKind.FREE_SHIPPING), instead={"zh-TW": "可代客線上下單"}, instead_campaign="store-bundle"
    )
    found = verdict(shipping, Basket.of_total("TWD", 999))

    assert found.kind is VerdictKind.NOT_HERE
    assert found.refusal is not None
    assert found.refusal.reason is CampaignReason.ONLINE_ONLY
    assert (found.instead, found.instead_campaign) == ({"zh-TW": "可代客線上下單"}, "store-bundle")


def test_a_coupon_for_some_products_touches_no_other_line() -> None:
    skin_care = replace(PERCENT_85, included=ProductSet(categories=("sensitive",)), excluded=ProductSet(gtins=(MUG,)))
    found = verdict(
        skin_care, basket(line(COFFEE, 1, 100), line(CAKE, 1, 200, "sensitive"), line(MUG, 1, 300, "sensitive"))
    )

    assert found.line_savings_minor == (0, 30, 0)


def test_a_coupon_whose_products_are_not_in_the_basket_says_which_to_add() -> None:
    tea = ProductSet(categories=("tea",))
    found = verdict(replace(PERCENT_85, included=tea), basket(line(COFFEE, 1, 100)))

    assert (found.kind, found.missing) == (VerdictKind.USABLE_IF, Missing(add_quantity=1, products=tea))


def test_minimum_amount_and_quantity_say_what_is_missing() -> None:
    limited = replace(PERCENT_85, minimum_minor=300, minimum_quantity=3)

    assert verdict(limited, basket(line(COFFEE, 2, 100))).missing == Missing(add_minor=100, add_quantity=1)
    assert verdict(limited, basket(line(COFFEE, 3, 100))).saves_minor == 45


@pytest.mark.parametrize(
    "about_products",
    [BOGO, BUNDLE, replace(PERCENT_85, included=ProductSet(gtins=(MUG,))), replace(OFF_20, minimum_quantity=2)],
)
def test_a_rule_about_products_asks_for_them_where_only_the_total_is_known(about_products: Campaign) -> None:
    found = verdict(about_products, Basket.of_total("TWD", 500))

    assert (found.kind, found.missing) == (VerdictKind.USABLE_IF, Missing(needs_lines=True))


def test_a_used_up_limit_is_refused_and_an_unused_one_is_not() -> None:
    limited = replace(PERCENT_85, per_member=1, total=100)
    share = Quota(id="c1/store/tpe-1", campaign_id="c1", store="tpe-1", limit=5)
    mine = Quota(id="c1/member/m1", campaign_id="c1", member_id="m1", limit=1, used=1)
    total = Basket.of_total("TWD", 500)

    assert verdict(limited, total, share).kind is VerdictKind.USABLE
    spent, no_share = verdict(limited, total, share, mine).refusal, verdict(limited, total).refusal
    assert spent is not None
    assert spent.reason is QuotaReason.EXHAUSTED
    assert no_share is not None
    assert no_share.reason is QuotaReason.NO_SHARE


def test_the_coupons_own_reason_comes_before_the_campaigns() -> None:
    used = Coupon(id="k1", campaign_id="c1", used=(Use(op_id="o", at=AT, store="tpe-2", staff="mei"),))
    elsewhere = replace(PERCENT_85, stores=("tpe-9",))
    refusal = quote(Basket.of_total("TWD", 9), HERE, [Offer(coupon=used, campaign=elsewhere)]).verdicts[0].refusal

    assert refusal is not None
    assert refusal.reason is CouponReason.USED_UP
    assert refusal.facts["staff"] == "mei"


def test_a_coupon_whose_campaign_this_store_does_not_have_is_not_usable() -> None:
    refusal = (
        quote(basket(), HERE, [Offer(coupon=Coupon(id="k1", campaign_id="c9"), campaign=None)]).verdicts[0].refusal
    )

    assert refusal is not None
    assert refusal.reason is CampaignReason.UNKNOWN


def test_every_coupon_has_a_verdict_with_the_best_first_and_of_equals_the_one_that_is_over_first() -> None:
    ends = {"late": AT + timedelta(days=9), "soon": AT + timedelta(days=1)}
    offers = [
        Offer(coupon=Coupon(id=id, campaign_id="c1", valid_until=end), campaign=OFF_20) for id, end in ends.items()
    ]
    offers += [
        Offer(coupon=Coupon(id="elsewhere", campaign_id="c2"), campaign=replace(OFF_20, id="c2", stores=("x",))),
        Offer(coupon=Coupon(id="pair", campaign_id="c3"), campaign=replace(BOGO, id="c3")),
        Offer(coupon=Coupon(id="best", campaign_id="c4"), campaign=replace(PERCENT_85, id="c4")),
    ]
    found = quote(basket(line(COFFEE, 1, 1000)), HERE, offers).verdicts

    assert [one.coupon_id for one in found] == ["best", "soon", "late", "pair", "elsewhere"]


@pytest.mark.parametrize(
    "bad",
    [
        Line(gtin=COFFEE, quantity=0, unit_minor=1),
        Line(gtin=COFFEE, quantity=1, unit_minor=-1),
        Line(quantity=2, unit_minor=5),
    ],
)
def test_what_no_till_can_mean_is_no_basket(bad: Line) -> None:
    with pytest.raises(ValueError, match=r"quantity|costs"):
        basket(bad)


@given(prices=st.lists(st.integers(0, 60), max_size=8), at_most=st.integers(0, 4))
def test_no_other_choice_of_free_pieces_saves_more_than_ours(prices: list[int], at_most: int) -> None:
    """Every way to make pieces free is tried: each needs its own paid piece of at least its price."""
    lines = [line(f"{n:014}", 1, price) for n, price in enumerate(prices)]
    ours = verdict(campaign(BenefitKind.BOGO, at_most=at_most), basket(*lines)).saves_minor
    most = at_most or len(prices)

    def may_be(free: tuple[int, ...]) -> bool:
        paid = sorted((prices[n] for n in range(len(prices)) if n not in free), reverse=True)
        return all(
            i < len(paid) and paid[i] >= price
            for i, price in enumerate(sorted((prices[n] for n in free), reverse=True))
        )

    every = [free for k in range(min(most, len(prices)) + 1) for free in combinations(range(len(prices)), k)]
    assert ours == max(sum(prices[n] for n in free) for free in every if may_be(free))


@given(total_minor=st.integers(0, 100_000), more_minor=st.integers(0, 5_000))
def test_a_fuller_basket_never_saves_less_and_a_nudge_keeps_its_promise(total_minor: int, more_minor: int) -> None:
    for one in (SPEND, PERCENT_85, OFF_20):
        now = verdict(one, Basket.of_total("TWD", total_minor))
        then = verdict(one, Basket.of_total("TWD", total_minor + more_minor))
        assert then.saves_minor >= now.saves_minor
        if now.next_step:
            nudged = verdict(one, Basket.of_total("TWD", total_minor + now.next_step.add_minor))
            assert nudged.saves_minor == now.next_step.saves_minor > now.saves_minor
