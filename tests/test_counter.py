"""The counter by keys alone, as a cashier uses it: a real replica below, no network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from textual._compositor import Compositor
from textual.events import Key
from textual.keys import _character_to_key
from textual.pilot import Pilot

from store_agent.desk import pickups, tags
from store_agent.domain.members import ChangeMember, Member
from store_agent.domain.operation import Operation
from store_agent.domain.pickups import IdentityCheck, PickupState
from store_agent.domain.tags import tags_at
from store_agent.replica import Replica
from store_agent.trouble import Trouble
from store_agent.words import use_language
from tests import counter_fixture as sample
from tests.counter_fixture import COFFEE, COOKIES, NOW, WANG, HeldClock, counter_at, open_replica, open_store
from tests.screen_text import scan, screen_text
from tui.app import StoreApp
from tui.dialogs.board import BoardDialog
from tui.dialogs.hand_over import HandOverDialog
from tui.dialogs.redeem import RedeemDialog
from tui.dialogs.register import RegisterDialog
from tui.screens.counter import CounterScreen

SIZES = [(80, 24), (120, 40)]
WANG_PHONE = "0912345678"
Opened = Callable[..., AbstractAsyncContextManager[Pilot[None]]]


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    use_language("en")
    yield
    use_language("en")


@pytest.fixture(autouse=True)
def _drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn without a terminal is thrown away, a third of these tests' time; `screen_text` draws for itself."""
    for drawing in ("render_full_update", "render_partial_update"):
        monkeypatch.setattr(Compositor, drawing, lambda compositor, **_how: compositor._dirty_regions.clear())


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Replica]:
    with open_store(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def counter_open(replica: Replica) -> Opened:
    """Opens the counter on the store, in a size and a language."""

    @asynccontextmanager
    async def opened(size: tuple[int, int] = (80, 24), language: str = "en", **more: Any) -> AsyncIterator[Pilot[None]]:
        use_language(language)
        app = StoreApp(counter_at(more.pop("replica", replica)), **more)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            yield pilot

    return opened


def kinds(replica: Replica) -> list[str]:
    """What happened, in order."""
    return [entry.operation.kind for entry in replica.view.waiting()]


def happened(replica: Replica, kind: str) -> list[Operation]:
    return [entry.operation for entry in replica.view.waiting() if entry.operation.kind == kind]


async def press(pilot: Pilot[None], *keys: str) -> str:
    """Press keys, let everything settle, and read the screen. Text is typed without a pause between its letters."""
    for is_text, run in groupby(keys, key=lambda key: len(key) == 1):
        if not is_text:
            await pilot.press(*run)
            continue
        for letter in run:
            pilot.app.post_message(Key(_character_to_key(letter), letter))
        await pilot.pause()
    await pilot.pause()
    await pilot.pause()
    return screen_text(pilot.app)


async def open_wang(pilot: Pilot[None]) -> str:
    await scan(pilot, WANG_PHONE)
    return screen_text(pilot.app)


@pytest.mark.parametrize(
    ("size", "language", "said", "points"),
    [
        (SIZES[0], "en", "Scan a card", "320 points"),
        (SIZES[0], "zh-TW", "請掃描會員碼", "320 點"),
        (SIZES[1], "zh-HK", "掃描會員碼", "320"),
    ],
)
async def test_an_empty_counter_says_what_to_do_and_a_scan_opens_the_member(
    counter_open: Opened, size: tuple[int, int], language: str, said: str, points: str
) -> None:
    async with counter_open(size, language) as pilot:
        assert said in screen_text(pilot.app)
        shown = await open_wang(pilot)
        for expected in ("王小明", "0912 345 678", points, "W1001", "LINE ✓"):
            assert expected in shown


@pytest.mark.parametrize("size", SIZES)
async def test_from_the_scan_of_a_card_to_the_redeemed_coupon_it_takes_two_keys(
    counter_open: Opened, replica: Replica, size: tuple[int, int]
) -> None:
    async with counter_open(size) as pilot:
        await scan(pilot, sample.WANG_CODE, COFFEE, COOKIES, COOKIES)
        shown = screen_text(pilot.app)
        assert "NT$380" in shown
        assert "earns 38 points" in shown
        shown = await press(pilot, "f2")
        assert "NT$350 →" in shown
        shown = await press(pilot, "enter")
        assert "NT$210 saved" in shown
        assert "To pay NT$380. Points 320 → 358." in shown
        assert kinds(replica).count("redeem-coupon") == 3
        assert "+38 on the way" in shown


async def test_enter_pressed_twice_is_one_purchase(counter_open: Opened, replica: Replica) -> None:
    async with counter_open() as pilot:
        await open_wang(pilot)
        await press(pilot, *"=350", "enter")
        await pilot.press("f2", "enter", "enter", "enter")
        await pilot.pause()
        assert len(happened(replica, "record-purchase")) == 1
        assert isinstance(pilot.app.screen, CounterScreen)
        assert "Points 320 →" in screen_text(pilot.app)


async def test_coupons_are_chosen_by_number_and_those_that_do_not_go_together_are_taken_out(
    counter_open: Opened, replica: Replica
) -> None:
    async with counter_open() as pilot:
        await open_wang(pilot)
        await press(pilot, *"=600", "enter")
        shown = await press(pilot, "f2", "2")
        assert "do not go together" in shown
        assert "[✓] Spend and save" in shown
        assert "[ ] 15% off" in shown
        await press(pilot, "enter")
        used = {operation.subject for operation in happened(replica, "redeem-coupon")}
        assert used == {"k-c-steps", "k-c-20"}


async def test_points_are_preset_to_the_most_and_show_what_is_left(counter_open: Opened, replica: Replica) -> None:
    async with counter_open() as pilot:
        await open_wang(pilot)
        await press(pilot, *"=350", "enter")
        shown = await press(pilot, "f3")
        assert "278" in shown
        assert "42 + 0 = 42" in shown
        shown = await press(pilot, *"100")
        assert "220 + 17 = 237" in shown
        shown = await press(pilot, "enter")
        assert "100 points paid NT$100." in shown
        assert "Points 320 → 237." in shown
        assert "redeem-points" in kinds(replica)


async def test_too_many_points_are_refused_in_the_dialog_and_nothing_typed_is_lost(
    counter_open: Opened, replica: Replica
) -> None:
    async with counter_open() as pilot:
        await open_wang(pilot)
        await press(pilot, *"=350", "enter", "f3")
        shown = await press(pilot, *"999", "enter")
        assert "worth more than what is to pay" in shown
        assert "999" in shown
        assert kinds(replica) == []


async def test_coupons_and_points_are_one_purchase(counter_open: Opened, replica: Replica) -> None:
    async with counter_open() as pilot:
        await open_wang(pilot)
        await press(pilot, *"=350", "enter", "f2", "1")
        shown = await press(pilot, "f3")
        assert "330" in shown
        await press(pilot, "enter")
        assert len(happened(replica, "record-purchase")) == 1
        assert kinds(replica).count("redeem-coupon") == 1


async def test_a_new_member_takes_three_fields_and_has_the_welcome_coupon_at_once(
    counter_open: Opened, replica: Replica
) -> None:
    async with counter_open() as pilot:
        await press(pilot, *"0988777666", "f4")
        shown = await press(pilot, *"Amy Lin", "enter", *"amy@example.tw", "f2")
        assert "[✓]" in shown
        shown = await press(pilot, "enter")
        assert "Amy Lin is now a member." in shown
        assert "0988 777 666" in shown
        shown = await press(pilot, *"=350", "enter")
        assert "Welcome: NT$50 off" in shown
        assert "NT$300" in shown
        assert kinds(replica) == ["register-member", "issue-coupon"]


async def test_who_is_a_member_already_is_opened_and_not_registered_again(
    counter_open: Opened, replica: Replica
) -> None:
    async with counter_open() as pilot:
        await press(pilot, "f4")
        shown = await press(pilot, *"0912-345-678")
        assert "already a member" in shown
        shown = await press(pilot, "enter", "enter")
        assert "320 points" in shown
        assert kinds(replica) == []


async def test_a_scan_while_registering_goes_to_its_own_field_or_to_none(counter_open: Opened) -> None:
    async with counter_open() as pilot:
        await press(pilot, "f4", "down", *"Am")
        await scan(pilot, "0988777666")
        dialog = pilot.app.screen
        assert isinstance(dialog, RegisterDialog)
        assert dialog.value("phone") == "+886988777666"
        assert dialog.value("name") == "Am"
        await scan(pilot, COFFEE)
        assert "not for this form" in screen_text(pilot.app)
        assert dialog.value("name") == "Am"


async def test_a_wrong_field_says_so_and_keeps_the_others(counter_open: Opened, replica: Replica) -> None:
    async with counter_open() as pilot:
        shown = await press(pilot, "f4", *"12345", "enter", *"Amy", "enter", "enter")
        assert "This is no phone number." in shown
        assert "Amy" in shown
        assert kinds(replica) == []


async def test_an_order_is_handed_over_in_three_keys(counter_open: Opened, replica: Replica) -> None:
    async with counter_open() as pilot:
        shown = await open_wang(pilot)
        assert "Order W1001 is ready at P-03" in shown
        shown = await press(pilot, "f5", "2", "enter")
        assert "Order W1001 is handed over." in shown
        assert replica.view.get("pickup", "o-ready").state is PickupState.HANDED_OVER
        assert kinds(replica) == ["hand-over"]


async def test_a_pickup_code_opens_its_order_with_the_check_done(counter_open: Opened, replica: Replica) -> None:
    async with counter_open() as pilot:
        await scan(pilot, sample.READY_CODE)
        assert isinstance(pilot.app.screen, HandOverDialog)
        shown = await press(pilot, "enter")
        assert "handed over" in shown
        await scan(pilot, sample.READY_CODE)
        assert len(happened(replica, "hand-over")) == 1


async def test_nobody_gets_an_order_unchecked(counter_open: Opened, replica: Replica) -> None:
    async with counter_open() as pilot:
        await open_wang(pilot)
        shown = await press(pilot, "f5", "enter")
        assert "Nobody checked who collects order W1001." in shown
        assert kinds(replica) == []


async def test_an_unpaid_order_says_what_to_do_and_is_then_handed_over(counter_open: Opened, replica: Replica) -> None:
    async with counter_open() as pilot:
        await scan(pilot, "0922000678")
        shown = await press(pilot, "f5", "2", "enter")
        assert "is not paid: NT$1,162" in shown
        shown = await press(pilot, "f2", "enter")
        assert "Order W1004 is handed over." in shown


async def test_a_tag_takes_three_keys_and_a_note_is_typed_in_the_same_place(
    counter_open: Opened, replica: Replica
) -> None:
    async with counter_open() as pilot:
        await open_wang(pilot)
        shown = await press(pilot, "f6", "j", "enter")
        assert "Tag Japanese snacks given." in shown
        assert "● Japanese snacks" in shown
        assert "japan" in {tag.name for tag in tags_at(replica.view.get("tags", WANG), NOW)}
        shown = await press(pilot, "f6", *"likes it sour", "enter")
        assert "The note is kept." in shown
        assert "likes it sour" in shown


async def test_typing_finds_members_while_it_goes_on_and_arrows_choose(counter_open: Opened) -> None:
    async with counter_open() as pilot:
        shown = await press(pilot, *"678")
        assert "L*** W***" in shown
        assert "王*明" in shown
        assert "王小明" not in shown, "nobody is identified yet"
        shown = await press(pilot, "enter")
        assert "2 members" in shown
        assert "0912 345 678" not in shown
        shown = await press(pilot, "down", "enter")
        assert "Basket" in shown


async def test_one_hit_opens_with_enter(counter_open: Opened) -> None:
    async with counter_open() as pilot:
        shown = await press(pilot, *"美玲", "enter")
        assert "0933 555 111" in shown
        assert "Basket" in shown


async def test_stock_here_and_elsewhere_has_its_age_and_the_empty_shelf_is_two_keys(
    counter_open: Opened, replica: Replica
) -> None:
    async with counter_open() as pilot:
        await press(pilot, "f7")
        await scan(pilot, COFFEE)
        shown = screen_text(pilot.app)
        for expected in ("On hand", "12 minutes ago", "Taipei Nangang", "9 minutes ago", "by 林美"):
            assert expected in shown
        shown = await press(pilot, "f2")
        assert "Is the shelf of Yirgacheffe" in shown
        shown = await press(pilot, "enter", "enter")
        assert "An found the shelf empty" in shown
        shown = await press(pilot, "f2")
        assert "already reported the shelf as empty" in shown
        assert kinds(replica) == ["mark-shelf-empty"]


async def test_goods_are_received_adjusted_and_counted_by_keys(counter_open: Opened, replica: Replica) -> None:
    async with counter_open() as pilot:
        await press(pilot, "f7", *"matcha", "enter")
        shown = await press(pilot, "f3", *"10", "enter")
        assert "is received" in shown
        shown = await press(pilot, "f4", "down", *"2", "enter")
        assert "is adjusted" in shown
        shown = await press(pilot, "f6", *"9", "enter")
        assert "is counted" in shown
        stock = replica.view.get("stock", f"{sample.STORE}/{COOKIES}")
        assert stock.on_hand == 9
        assert kinds(replica) == ["move-stock", "move-stock", "count-stock"]


async def test_enter_on_the_board_is_always_the_next_step(counter_open: Opened, replica: Replica) -> None:
    async with counter_open((120, 40)) as pilot:
        shown = await press(pilot, "f8")
        assert "! 14:15" in shown
        assert "陳美玲" in shown
        shown = await press(pilot, "down", "enter")
        assert "Order W1002 is accepted." in shown
        shown = await press(pilot, "enter")
        assert "Pick order W1002" in shown
        shown = await press(pilot, "enter")
        assert "All lines are picked." in shown
        shown = await press(pilot, *"P-09", "enter")
        assert "Order W1002 is ready." in shown
        assert "P-09" in shown
        assert replica.view.get("pickup", "o-placed").state is PickupState.READY


async def test_a_line_that_is_not_there_is_short_and_pieces_are_picked_by_scanning(
    counter_open: Opened, replica: Replica
) -> None:
    async with counter_open() as pilot:
        await press(pilot, "f8", "enter")
        await scan(pilot, COFFEE, COFFEE)
        shown = await press(pilot, "down", "f3")
        assert "2/2 picked" in shown
        assert "0/1 not there" in shown
        await press(pilot, "enter")
        order = replica.view.get("pickup", "o-late")
        assert order.state is PickupState.READY
        assert order.lines[1].short == 1


async def test_the_language_turns_at_once_and_the_customer_stays(counter_open: Opened) -> None:
    async with counter_open() as pilot:
        await open_wang(pilot)
        await press(pilot, *"=350", "enter", *"ab")
        shown = await press(pilot, "f10")
        for expected in ("王小明", "應付", "85 折券", "ab", "NT$278"):
            assert expected in shown
        shown = await press(pilot, "f10", "f10")
        assert "To pay" in shown


async def test_escape_goes_back_step_by_step_and_f9_begins_anew(counter_open: Opened) -> None:
    async with counter_open() as pilot:
        await open_wang(pilot)
        await press(pilot, *"=350", "enter", *"ab")
        assert "To pay" in await press(pilot, "escape")
        shown = await press(pilot, "escape")
        assert "To pay" not in shown
        assert "王小明" in shown
        assert "Scan a card" in await press(pilot, "escape")
        await open_wang(pilot)
        assert "Scan a card" in await press(pilot, "f9")


async def test_the_line_of_keys_shows_only_what_is_possible_and_the_help_shows_all(counter_open: Opened) -> None:
    async with counter_open((120, 40)) as pilot:
        assert "F2" not in screen_text(pilot.app)
        assert "F4 Register" in screen_text(pilot.app)
        await press(pilot, "f2", "f3", "f5", "f6")
        assert isinstance(pilot.app.screen, CounterScreen)
        shown = await open_wang(pilot)
        assert "F5 Hand over" in shown
        assert "F3" not in shown
        shown = await press(pilot, "f1")
        for cap in ("F2", "F3", "F12", "Ctrl+D", "^Q"):
            assert cap in shown


async def test_a_shown_coupon_of_nobody_counts_for_the_basket(counter_open: Opened, replica: Replica) -> None:
    async with counter_open() as pilot:
        await scan(pilot, sample.BEARER_CODE)
        assert "The coupon is noted." in screen_text(pilot.app)
        await scan(pilot, sample.WANG_CODE, sample.BAG)
        assert "Tote bag voucher" in screen_text(pilot.app)
        await press(pilot, "f2", "enter")
        assert "k-bearer" in {operation.subject for operation in happened(replica, "redeem-coupon")}


async def test_what_is_not_usable_says_why_and_what_instead(counter_open: Opened) -> None:
    async with counter_open((120, 40)) as pilot:
        await open_wang(pilot)
        shown = await press(pilot, *"=480", "enter")
        assert "Add NT$20 to save NT$50." in shown
        assert "This offer counts for online orders only." in shown
        assert "Offer the 15% coupon of the store" in shown


async def test_a_badge_says_who_is_at_the_counter(counter_open: Opened, replica: Replica) -> None:
    async with counter_open() as pilot:
        await scan(pilot, sample.MEI_BADGE)
        shown = screen_text(pilot.app)
        assert "林美 is at the counter now." in shown
        assert "Taipei Xinyi · 林美" in shown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/ABC+123", "mobile barcode for invoices"),
        ("SAC-0000000000", "character of this code is missing or wrong"),
        ("4710000000013", "check digit of this product code is wrong"),
        ("**:item:1:100", "This is an invoice"),
        ("U" + "0" * 32, "LINE user id, which proves nothing"),
    ],
)
async def test_every_other_code_says_what_it_is_and_what_to_do(counter_open: Opened, text: str, said: str) -> None:
    async with counter_open() as pilot:
        await scan(pilot, text)
        assert said in screen_text(pilot.app)


async def test_an_unknown_phone_is_asked_of_the_centre_and_shown_once_its_rows_have_come(
    counter_open: Opened, replica: Replica
) -> None:
    asked: list[tuple[str, str]] = []

    async def sight(phone: str, code: str) -> str:
        asked.append((phone, code))
        return "m-far"

    async with counter_open(sight=sight) as pilot:
        await scan(pilot, "0977111222")
        assert asked == [("+886977111222", "")]
        assert "is found; their data is on the way" in screen_text(pilot.app)
        far = Member(id="m-far", phone="+886977111222", name="遠方客", home_store="tpe-002")
        sample.absorb(replica, [far], revision=2)
        app = pilot.app
        assert isinstance(app, StoreApp)
        app.glance()
        await pilot.pause()
        await pilot.pause()
        assert "遠方客" in screen_text(app)


async def test_with_the_cable_out_an_unknown_phone_can_still_be_registered(
    counter_open: Opened, replica: Replica
) -> None:
    async def sight(phone: str, code: str) -> str:
        raise Trouble("The centre does not answer.")

    async with counter_open(sight=sight) as pilot:
        await scan(pilot, "0977111222")
        shown = screen_text(pilot.app)
        assert "the centre cannot be asked now" in shown
        await press(pilot, "f4")
        dialog = pilot.app.screen
        assert isinstance(dialog, RegisterDialog)
        assert dialog.value("phone") == "+886977111222"


async def test_trouble_is_one_sentence_and_the_counter_goes_on(
    counter_open: Opened, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with counter_open() as pilot:
        await open_wang(pilot)
        await press(pilot, *"=350", "enter", "f2")

        def full(*_operations: object) -> None:
            raise Trouble("The disk is full.", "Make room, then try again.")

        monkeypatch.setattr(replica, "accept_drafted", full)
        shown = await press(pilot, "enter")
        assert "The disk is full." in shown
        assert "Make room, then try again." in shown
        assert isinstance(pilot.app.screen, RedeemDialog)
        monkeypatch.undo()
        shown = await press(pilot, "enter")
        assert "Points 320 →" in shown


async def test_a_bug_ends_the_program(counter_open: Opened, replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    async def meet_a_bug() -> None:
        async with counter_open() as pilot:
            monkeypatch.setattr("store_agent.desk.members.find", lambda *_what: 1 // 0)
            await press(pilot, *"ab")

    with pytest.raises(ZeroDivisionError):
        await meet_a_bug()


async def test_two_terminals_of_a_store_see_each_other(tmp_path: Path, replica: Replica, counter_open: Opened) -> None:
    with open_replica(tmp_path / "store") as other:
        async with counter_open() as pilot:
            await open_wang(pilot)
            at_the_other = counter_at(other, HeldClock(), "s-mei")

            assert tags.add(at_the_other, WANG, "tea") is None
            assert pickups.hand_over(at_the_other, "o-ready", IdentityCheck.CODE) is None
            app = pilot.app
            assert isinstance(app, StoreApp)
            app.glance()
            await pilot.pause()
            await pilot.pause()
            shown = screen_text(app)
            assert "● Tea" in shown
            assert "W1001" not in shown
            assert "2 waiting for the centre" in shown


async def test_a_second_hand_over_says_who_did_it(tmp_path: Path, replica: Replica, counter_open: Opened) -> None:
    with open_replica(tmp_path / "store") as other:
        async with counter_open() as pilot:
            await open_wang(pilot)
            await press(pilot, "f5", "1")

            assert pickups.hand_over(counter_at(other, HeldClock(), "s-mei"), "o-ready", IdentityCheck.CODE) is None
            shown = await press(pilot, "enter")
            assert "was already handed over by 林美" in shown


async def test_the_distance_to_the_centre_is_always_in_words(counter_open: Opened, replica: Replica) -> None:
    async with counter_open() as pilot:
        app = pilot.app
        assert isinstance(app, StoreApp)
        assert "In step with the centre" in screen_text(app)
        replica.cache.keep(offline_since=NOW.isoformat())
        app.glance()
        await pilot.pause()
        assert "Offline since 14:30" in screen_text(app)
        await open_wang(pilot)
        shown = await press(pilot, "f6", "t", "enter")
        assert "Offline since 14:30, 1 waiting" in shown


async def test_a_store_without_its_first_rows_says_so(tmp_path: Path, counter_open: Opened) -> None:
    with open_replica(tmp_path / "new") as empty:
        async with counter_open(replica=empty) as pilot:
            shown = screen_text(pilot.app)
            assert "Getting the first rows from the centre" in shown
            assert "No word from the centre yet" in shown


async def test_how_far_the_first_data_are_is_a_bar_and_a_sentence_in_every_language(
    tmp_path: Path, counter_open: Opened
) -> None:
    with open_replica(tmp_path / "new") as empty:
        empty.cache.keep(arriving="fetched 12040000 28000000")
        async with counter_open(replica=empty) as pilot:
            shown = screen_text(pilot.app)
            assert shown.count("First data: 43 %, 12 MB of 28 MB") == 2, "in the middle, and in the status bar"
            assert "━━━━━───" in shown
            assert "What happens meanwhile is kept and sent later." in shown
            empty.cache.keep(arriving="built 50000 100000")
            assert isinstance(pilot.app, StoreApp)
            pilot.app.glance()
            await pilot.pause()
            assert "First data: being put in order, 50 %" in screen_text(pilot.app)
            for _language in ("zh-TW", "zh-HK"):
                assert "首批資料：整理中 50 %" in await press(pilot, "f10")


async def test_the_demos_cable_is_pulled_and_plugged_by_a_key(counter_open: Opened) -> None:
    class DemoCable:
        is_plugged = True

        def pull(self) -> None:
            self.is_plugged = False

        def plug(self) -> None:
            self.is_plugged = True

    cable = DemoCable()
    async with counter_open(cable=cable) as pilot:
        assert "F12" in screen_text(pilot.app)
        assert "The cable is out." in await press(pilot, "f12")
        assert not cable.is_plugged
        assert "The cable is in again." in await press(pilot, "f12")


@pytest.mark.parametrize("size", SIZES)
async def test_a_hostile_name_is_harmless_everywhere(
    counter_open: Opened, replica: Replica, size: tuple[int, int]
) -> None:
    async with counter_open(size) as pilot:
        shown = await press(pilot, *"777")
        assert "[***" in shown
        shown = await press(pilot, "enter")
        assert "[@click" in shown
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        await pilot.click("MemberCard", offset=(4, 1))
        await press(pilot, "f6", *"[/] x", "enter")
        assert pilot.app.is_running
        assert "[/] x" in screen_text(pilot.app)


async def test_another_member_keeps_the_basket_and_says_so(counter_open: Opened) -> None:
    async with counter_open() as pilot:
        await open_wang(pilot)
        await press(pilot, *"=350", "enter")
        await scan(pilot, "0933555111")
        shown = screen_text(pilot.app)
        assert "the basket stayed" in shown
        assert "陳美玲" in shown
        assert "NT$350" in shown


async def test_the_last_piece_goes_out_of_the_basket_again(counter_open: Opened) -> None:
    async with counter_open((120, 40)) as pilot:
        await scan(pilot, COOKIES, COOKIES)
        assert "NT$240" in screen_text(pilot.app)
        assert "NT$240" not in await press(pilot, "ctrl+d")


async def test_the_bar_of_the_board_stays_on_its_order_when_another_terminal_moves_one(
    tmp_path: Path, counter_open: Opened
) -> None:
    with open_replica(tmp_path / "store") as other:
        async with counter_open() as pilot:
            await press(pilot, "f8", "down")
            board = pilot.app.screen
            assert isinstance(board, BoardDialog)
            chosen = board.order
            assert pickups.hand_over(counter_at(other), "o-ready", IdentityCheck.CODE) is None
            app = pilot.app
            assert isinstance(app, StoreApp)
            app.glance()
            assert "W1001" not in await press(pilot)
            assert chosen is not None
            assert board.order == chosen


async def test_a_member_is_corrected_and_only_what_changed_is_sent(counter_open: Opened, replica: Replica) -> None:
    async with counter_open() as pilot:
        await open_wang(pilot)
        shown = await press(pilot, "f4", *" Ming", "down", "end", *"@", "enter")
        assert "This is no mail address." in shown
        shown = await press(pilot, "backspace", "f2", "enter")
        assert "The member's data is corrected." in shown
        assert "王小明 Ming" in shown
        (change,) = happened(replica, "change-member")
        assert isinstance(change, ChangeMember)
        assert (change.name, change.email) == ("王小明 Ming", None)
        assert change.consent is not None
        assert change.consent.marketing
        assert "Nothing was changed." in await press(pilot, "f4", "enter")


async def test_the_members_code_is_shown_whole_for_a_phone(counter_open: Opened) -> None:
    async with counter_open() as pilot:
        await open_wang(pilot)
        shown = await press(pilot, "ctrl+r")
        assert sample.WANG_CODE in shown
        assert shown.count("█▀▀▀▀▀█") == 3
        assert "Esc Back" in shown


async def test_text_that_comes_in_one_packet_is_searched_like_typing(counter_open: Opened) -> None:
    async with counter_open() as pilot:
        await scan(pilot, "0678")
        assert "L*** W***" in screen_text(pilot.app)
        assert "Basket" not in screen_text(pilot.app), "a foreign code must not open whoever's phone ends so"
        assert "Basket" in await press(pilot, "enter")
        await press(pilot, "f9")
        await scan(pilot, "美玲")
        assert "0933 555 111" in screen_text(pilot.app)
        await scan(pilot, "Nobody")
        assert "Nobody here is found by “Nobody”." in screen_text(pilot.app)
        assert "陳美玲" in await press(pilot, *"美玲", "enter"), (
            "what is typed next takes the place of what was found nowhere"
        )
        await press(pilot, "f9", *"/ABC+123", "enter")
        assert "Basket" in await press(pilot, *"美玲", "enter")


async def test_a_long_basket_shows_what_is_to_pay_and_its_last_line(counter_open: Opened, replica: Replica) -> None:
    biscuits = [sample.product(sample.gtin(2000 + n), "餅", f"Biscuit {n}", 10, "", "") for n in range(6)]
    sample.absorb(replica, biscuits, revision=2)
    async with counter_open() as pilot:
        await scan(pilot, sample.WANG_CODE, COFFEE, COOKIES, *[biscuit.id for biscuit in biscuits])
        shown = screen_text(pilot.app)
        assert "To pay" in shown
        assert "Biscuit 5" in shown
        await press(pilot, "f2")
        shown = screen_text(pilot.app)
        for expected in ("To pay", "Enter Done", "Esc Back"):
            assert expected in shown


async def test_a_scan_in_a_dialog_that_is_not_for_it_goes_to_the_counter(counter_open: Opened) -> None:
    async with counter_open() as pilot:
        await open_wang(pilot)
        await press(pilot, *"=350", "enter", "f2")
        await scan(pilot, COFFEE)
        assert isinstance(pilot.app.screen, CounterScreen)
        assert "Yirgacheffe" in screen_text(pilot.app)
