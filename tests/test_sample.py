"""The sample chain: the same every time, valid in every number, and with something of every kind in it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import phonenumbers
import pytest

from store_agent.demo.pictures import INDEX, make_invoice, write_pictures
from store_agent.demo.sample import (
    LIN,
    NEWCOMER_PHONE,
    PEOPLE,
    STORES,
    TAICHUNG,
    TAIPEI,
    WANG,
    Course,
    Sample,
    make_sample,
    order_no,
    progress,
)
from store_agent.demo.sample import products as known
from store_agent.demo.sample.names import HARD
from store_agent.demo.sample.people import make_holdings
from store_agent.desk import overviews
from store_agent.domain.baskets import Basket, Line
from store_agent.domain.benefits import BenefitKind
from store_agent.domain.campaigns import Campaign, Stacking
from store_agent.domain.members import NAME_MOST, Member, check_person
from store_agent.domain.pickups import Hold, Pickup, PickupState
from store_agent.domain.pickups import Line as OrderLine
from store_agent.domain.products import Product, to_gtin
from store_agent.domain.quotas import Quota
from store_agent.domain.quotes import VerdictKind
from store_agent.domain.stock import stock_id
from store_agent.domain.stores import Role
from store_agent.optics import read_picture
from store_agent.safe_text import safe_text
from store_agent.scan import ScanKind, read_scan
from store_agent.scan.invoices import Invoice, read_invoice
from store_agent.trouble import Trouble
from tests.chain import Chain, StoreAtEnd

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
LANGUAGES = {"zh-TW", "zh-HK", "en"}
LIMITS = (
    *("stores", "channels", "weekdays", "from_time", "valid_from", "valid_until", "tiers", "required_tag"),
    *("first_purchase", "included", "excluded", "minimum_minor", "minimum_quantity", "currency", "per_member"),
    *("per_member_day", "total", "instead", "instead_campaign"),
)


@pytest.fixture(scope="module")
def sample() -> Sample:
    return make_sample(3_000, now=NOW)


def test_the_same_call_makes_the_same_chain() -> None:
    one, other = make_sample(400, now=NOW), make_sample(400, now=NOW)
    assert one == other
    assert list(one.holdings()) == list(other.holdings()) == list(one.holdings())
    assert list(one.stock()) == list(other.stock())
    assert list(make_sample(400, now=NOW, seed=7).members()) != list(one.members())


def test_a_larger_sample_begins_with_the_smaller_one() -> None:
    few, many = make_sample(50, now=NOW), make_sample(5_000_000, now=NOW)
    assert list(few.members()) == list(islice(many.members(), 50))


def test_even_the_smallest_sample_has_the_people_of_the_stories() -> None:
    assert [member.name for member in make_sample(1, now=NOW).members()] == [person.name for person in PEOPLE]


def test_every_product_has_a_number_that_scans_and_no_other_has(sample: Sample) -> None:
    gtins = [product.id for product in sample.products]
    assert len(gtins) == len(set(gtins)) == known.COUNT
    for gtin in gtins:
        assert to_gtin(gtin[1:]) == gtin
        assert gtin.startswith("0471")
    scan = read_scan(known.CREAM[1:], region="TW")
    assert (scan.kind, scan.value) == (ScanKind.PRODUCT, known.CREAM)


def test_products_are_named_in_three_languages_and_priced_in_two_currencies(sample: Sample) -> None:
    names = Counter(product.name["zh-TW"] for product in sample.products)
    assert max(names.values()) == 1
    for product in sample.products:
        assert set(product.name) == LANGUAGES
        assert product.price_minor["TWD"] > 0
        assert product.price_minor["HKD"] > 0
        assert all(safe_text(text) == text for text in (*product.name.values(), product.shelf))
    assert any(product.life_days for product in sample.products)
    assert not all(product.life_days for product in sample.products)
    aisles = {product.shelf: product.categories[0] for product in sample.products}
    assert all(aisles[product.shelf] == product.categories[0] for product in sample.products)


def test_every_phone_is_a_mobile_and_nobody_elses(sample: Sample) -> None:
    phones = [member.phone for member in sample.members()]
    assert len(phones) == len(set(phones))
    assert NEWCOMER_PHONE not in phones
    for phone in phones:
        number = phonenumbers.parse(phone)
        assert phonenumbers.is_valid_number(number), phone
        assert phonenumbers.number_type(number) is phonenumbers.PhoneNumberType.MOBILE
    assert {phone[:4] for phone in phones} == {"+886", "+852"}


def test_members_are_people_that_the_rules_take(sample: Sample) -> None:
    members = list(sample.members())
    assert len({member.id for member in members}) == len({member.code for member in members}) == len(members)
    for member in members:
        assert check_person(member.phone, member.name, member.email) is None
        assert read_scan(member.code, region="TW").kind is ScanKind.MEMBER_CODE
    homes = Counter(member.home_store for member in members)
    assert set(homes) == set(STORES)
    assert min(homes.values()) > len(members) // 3


def test_names_that_have_broken_others_are_among_them(sample: Sample) -> None:
    names = {member.name for member in sample.members()}
    assert names.issuperset(HARD)
    assert all(len(name) <= NAME_MOST for name in HARD)
    assert max(len(name) for name in HARD) > 60


def test_both_stores_have_a_manager_a_lead_two_cashiers_and_a_welcome(sample: Sample) -> None:
    for store in sample.stores:
        roles = Counter(one.role for one in sample.staff if one.store == store.id)
        assert roles == {Role.MANAGER: 1, Role.LEAD: 1, Role.CASHIER: 2}
        assert set(store.closing) == set("1234567")
        assert store.welcome_campaign in {campaign.id for campaign in sample.campaigns}
    assert all(read_scan(one.badge, region="TW").kind is ScanKind.STAFF_BADGE for one in sample.staff)
    assert len({one.badge for one in sample.staff}) == len(sample.staff)


def test_there_are_ten_words_for_tags_of_which_one_is_not_for_everybody(sample: Sample) -> None:
    assert len(sample.tag_words) == 10
    assert [word.id for word in sample.tag_words if word.sensitive] == ["allergy"]
    words = {word.id for word in sample.tag_words}
    assert all(words.issuperset(tags) for _member, tags in sample.segments())


def test_there_is_a_campaign_of_every_kind_and_with_every_limit(sample: Sample) -> None:
    campaigns = sample.campaigns
    assert {campaign.benefit.kind for campaign in campaigns} == set(BenefitKind)
    assert {campaign.stacking for campaign in campaigns} == set(Stacking)
    plain = Campaign(id="", benefit=campaigns[0].benefit)
    for limit in LIMITS:
        assert any(getattr(campaign, limit) != getattr(plain, limit) for campaign in campaigns), limit
    assert all(set(campaign.name) == LANGUAGES for campaign in campaigns)


def test_campaigns_name_only_products_tags_and_campaigns_that_there_are(sample: Sample) -> None:
    gtins = {product.id for product in sample.products}
    categories = {category for product in sample.products for category in product.categories}
    ids = {campaign.id for campaign in sample.campaigns}
    words = {word.id for word in sample.tag_words}
    for campaign in sample.campaigns:
        sets = (campaign.included, campaign.excluded, campaign.benefit.free, *campaign.benefit.parts)
        for one in sets:
            assert gtins.issuperset(one.gtins)
            assert categories.issuperset(one.categories)
        assert {campaign.instead_campaign} - {""} <= ids
        assert {campaign.required_tag} - {""} <= words


def test_every_coupon_is_of_a_campaign_and_has_a_code_of_its_own(sample: Sample) -> None:
    coupons = list(sample.coupons())
    ids = {campaign.id for campaign in sample.campaigns}
    assert {coupon.campaign_id for coupon in coupons} <= ids
    assert len({coupon.code for coupon in coupons}) == len({coupon.id for coupon in coupons}) == len(coupons)
    assert any(not coupon.member_id for coupon in coupons)
    assert {member.id for member in sample.members()} == {coupon.member_id for coupon in coupons} - {""}


def test_the_shelves_hold_plenty_little_and_nothing(sample: Sample) -> None:
    stock = list(sample.stock())
    assert len({row.id for row in stock}) == len(sample.products) * len(sample.stores)
    on_hand = Counter(min(row.on_hand, 2) for row in stock)
    assert on_hand.keys() == {0, 1, 2}
    assert any(row.safety for row in stock)
    story = {row.id: row for row in stock}
    assert all(story[stock_id(store, known.CREAM)].sellable > 20 for store in STORES)


def test_phones_stay_unique_where_the_shuffling_is_long() -> None:
    phones = [holding.member.phone for holding in make_holdings(20_000, NOW, 2026)]
    assert len(set(phones)) == 20_000


def test_every_picture_reads_back_as_what_it_is_named(sample: Sample, tmp_path: Path) -> None:
    written = write_pictures(tmp_path / "codes", sample)
    kinds = set()
    for path, text in written:
        assert [code.text for code in read_picture(path, use_zbar=False)] == [text], path.name
        scan = read_scan(text, region="TW", today=NOW.date())
        assert scan.kind is not ScanKind.UNKNOWN, path.name
        kinds.add((path.name.split("-")[0], scan.kind))
    assert kinds == {
        ("member", ScanKind.MEMBER_CODE),
        ("coupon", ScanKind.COUPON),
        ("pickup", ScanKind.PICKUP_CODE),
        ("badge", ScanKind.STAFF_BADGE),
        ("product", ScanKind.PRODUCT),
        ("invoice", ScanKind.INVOICE_LEFT),
    }
    index = (tmp_path / "codes" / INDEX).read_text(encoding="utf-8")
    assert all(path.name in index for path, _text in written)


def test_the_invoice_is_of_today_and_complete() -> None:
    invoice = read_invoice(make_invoice(NOW), NOW.date())
    assert isinstance(invoice, Invoice)
    assert (invoice.issued_on, invoice.total_minor, invoice.is_complete) == (NOW.date(), 185, True)


def test_a_folder_that_cannot_be_is_one_clear_sentence(sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Trouble, match="file"):
        write_pictures(tmp_path / "file" / "codes", sample)


async def _open_store(chain: Chain, sample: Sample, store_id: str) -> StoreAtEnd:
    """A store with the rows that its part of the sample needs, as a centre would have made them."""
    wanted = {gtin for order in sample.orders for gtin, _quantity in order.lines} | {known.CREAM, known.LOTION}
    products = [product for product in sample.products if product.id in wanted]
    people: list[Member] = [person.member(sample.now) for person in PEOPLE]
    coupons = [coupon for holding in islice(sample.holdings(), len(PEOPLE)) for coupon in holding.coupons]
    store = await chain.store(store_id, row=next(one for one in sample.stores if one.id == store_id))
    limited = next(campaign for campaign in sample.campaigns if campaign.total)
    share = Quota(id=f"{limited.id}/store/{store_id}", campaign_id=limited.id, store=store_id, limit=limited.total)
    await chain.write(*sample.tag_words, *products, *sample.campaigns, *people, *coupons, share)
    await chain.write(*_orders(sample, products, store_id))
    await chain.write(*(row for row in sample.stock() if row.store == store_id and row.gtin in wanted))
    await store.settle()
    return store


def _orders(sample: Sample, products: list[Product], store_id: str) -> list[Pickup]:
    name = {product.id: product.name for product in products}
    return [
        Pickup(
            id=order.order_no,
            order_no=order.order_no,
            store=store_id,
            member_id=order.member_id,
            code=order.code,
            lines=tuple(
                OrderLine(no=no, gtin=gtin, name=name[gtin], quantity=quantity)
                for no, (gtin, quantity) in enumerate(order.lines, 1)
            ),
            placed_at=order.placed_at,
            promised_at=order.promised_at,
            paid=order.paid,
            proxy_name=order.proxy_name,
            state=PickupState.CANCELLED if order.is_cancelled else PickupState.PLACED,
            hold=order.hold or Hold(),
        )
        for order in sample.orders
        if order.store == store_id
    ]


STATES = {
    Course.READY: PickupState.READY,
    Course.READY_UNPAID: PickupState.READY,
    Course.READY_IN_PART: PickupState.READY,
    Course.PLACED: PickupState.PLACED,
    Course.PLACED_UNPAID: PickupState.PLACED,
    Course.PLACED_FOR_PROXY: PickupState.PLACED,
    Course.ACCEPTED: PickupState.ACCEPTED,
    Course.PICKING: PickupState.PICKING,
    Course.HANDED_OVER: PickupState.HANDED_OVER,
    Course.REJECTED: PickupState.REJECTED,
    Course.CANCELLED: PickupState.CANCELLED,
    Course.EXPIRED: PickupState.EXPIRED,
    Course.RETURNED: PickupState.RETURNED,
}


@pytest.mark.parametrize("store_id", STORES)
async def test_orders_reach_every_state_and_once_more_changes_nothing(chain: Chain, store_id: str) -> None:
    sample = make_sample(6, now=chain.clock.now())
    store = await _open_store(chain, sample, store_id)
    assert progress(store.counter) == []
    states = {course: store.row("pickup", order_no(store_id, course)).state for course in Course}
    assert states == STATES
    assert set(states.values()) == set(PickupState)
    picking: Pickup = store.row("pickup", order_no(store_id, Course.PICKING))
    assert any(line.short for line in picking.lines)
    assert any(line.substitute_gtin for line in picking.lines)
    assert any(line.open_quantity for line in picking.lines)

    done = store.replica.journal.count()
    assert progress(store.counter) == []
    assert store.replica.journal.count() == done
    await store.settle()
    assert await chain.cases() == []
    assert {course: store.row("pickup", order_no(store_id, course)).state for course in Course} == STATES


async def test_what_wang_holds_is_usable_here_usable_if_and_not_here(chain: Chain) -> None:
    sample = make_sample(6, now=chain.clock.now())
    store = await _open_store(chain, sample, TAIPEI)
    progress(store.counter)
    lines = tuple(
        Line(gtin=product.id, unit_minor=product.price_minor["TWD"], categories=product.categories)
        for product in sample.products
        if product.id in (known.CREAM, known.LATTE)
    )
    seen = overviews.member(store.counter, WANG.id, Basket(currency="TWD", lines=lines), "zh-TW")
    assert seen is not None
    assert {verdict.kind for verdict in seen.quote.verdicts} == set(VerdictKind)
    assert seen.pickups
    assert seen.tags
    assert len(seen.purchases) == 3


async def test_who_never_bought_may_still_have_the_first_purchase(chain: Chain) -> None:
    sample = make_sample(6, now=chain.clock.now())
    store = await _open_store(chain, sample, TAICHUNG)
    progress(store.counter)
    seen = overviews.member(store.counter, LIN.id, Basket.of_total("TWD", 700), "zh-TW")
    assert seen is not None
    assert not seen.purchases
    verdicts = {verdict.campaign_id: verdict.kind for verdict in seen.quote.verdicts}
    assert verdicts["first-100"] is VerdictKind.USABLE
