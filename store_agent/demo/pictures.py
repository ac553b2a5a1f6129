"""Pictures of codes to scan, as a customer's phone or a package shows them: for the demo, and to try a camera with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import zxingcpp
from PIL import Image

from store_agent import qr
from store_agent.demo.sample import products as known
from store_agent.demo.sample.chain import Sample
from store_agent.demo.sample.numbers import coupon_code
from store_agent.demo.sample.offers import LEAFLET_CODES
from store_agent.demo.sample.orders import Course, order_code
from store_agent.demo.sample.shops import STAFF_PIN, TAICHUNG, TAIPEI
from store_agent.demo.sample.stories import CHEUNG, LEE, NEWCOMER_PHONE, PEOPLE, PIN, WANG, Person
from store_agent.scan.invoices import TAIWAN
from store_agent.trouble import Trouble
from store_agent.words import _

INDEX = "README.txt"
BAR_PX = 4
SELLER = "24804859"
"""A business number (統一編號) that passes its check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One picture: what its code says, and what it is in Chinese and English."""

    name: str
    text: str
    chinese: str
    english: str

    @property
    def file(self) -> str:
        """Its file's name."""
        return f"{self.name}.png"


def write_pictures(folder: Path, sample: Sample) -> list[tuple[Path, str]]:
    """Write all pictures and their index; returns each file with its code's text. Trouble for a bad folder."""
    cards = make_cards(sample)
    written: list[tuple[Path, str]] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for card in cards:
            path = folder / card.file
            if card.text.isdigit():
                _draw_bars(card.text).save(path, format="PNG")
            else:
                qr.save(card.text, path)
            written.append((path, card.text))
        (folder / INDEX).write_text(_index(cards), encoding="utf-8")
    except OSError as error:
        raise Trouble(
            _("The pictures could not be written to {folder}: {error}.").format(
                folder=folder, error=error.strerror or error
            ),
            _("Check the folder and the space on the disk."),
        ) from error
    return written


def make_cards(sample: Sample) -> list[Card]:
    """What there is to scan."""
    return [*_members(), *_coupons(), *_pickups(), *_badges(sample), *_products(sample), _invoice(sample.now)]


def make_invoice(now: datetime) -> str:
    """The left QR code of an e-invoice of that day, as the Ministry's specification writes it (`scan/invoices.py`)."""
    day = now.astimezone(TAIWAN)
    total = 65 + 120
    header = (
        f"AB20261121{day.year - 1911:03d}{day:%m%d}8195{0:08x}{total:08x}{0:08d}{SELLER}{'nozbd7t7L+KffoUVC5eNQw=='}"
    )
    return f"{header}:**********:2:2:1:北海道洋芋片:1:65:經典拿鐵:1:120"


def _members() -> list[Card]:
    return [
        Card(
            name=f"member-{person.word}",
            text=person.code,
            chinese=f"會員卡:{person.name},電話 {person.typed_phone}",
            english=f"Member card: {person.name}, phone {person.typed_phone}",
        )
        for person in PEOPLE
    ]


def _coupons() -> list[Card]:
    def card(person: Person, campaign: str, chinese: str, english: str) -> Card:
        text = coupon_code(person.number, person.campaigns.index(campaign))
        return Card(name=f"coupon-{campaign}-{person.word}", text=text, chinese=chinese, english=english)

    leaflet = LEAFLET_CODES[0]
    return [
        card(WANG, "member-85", f"{WANG.name}的 85 折券", f"85 % coupon of {WANG.name}"),
        card(WANG, "free-shipping", "免運券(門市不能使用)", "Free shipping: not usable at the till"),
        card(LEE, "sensitive-80", f"{LEE.name}的敏感肌專屬 8 折券", f"80 % on sensitive skin care, of {LEE.name}"),
        Card(
            name="coupon-leaflet",
            text=leaflet,
            chinese="傳單折價券(不記名)",
            english="Leaflet coupon of whoever shows it",
        ),
    ]


def _pickups() -> list[Card]:
    def card(store: str, course: Course, chinese: str, english: str) -> Card:
        return Card(name=f"pickup-{store}-{course}", text=order_code(store, course), chinese=chinese, english=english)

    return [
        card(TAIPEI, Course.READY, f"取貨碼:{WANG.name},信義店,已備妥", f"Pickup code: {WANG.name}, Taipei, ready"),
        card(
            TAIPEI,
            Course.READY_UNPAID,
            f"取貨碼:{CHEUNG.name},信義店,未付款",
            f"Pickup code: {CHEUNG.name}, Taipei, unpaid",
        ),
        card(TAIPEI, Course.PLACED, "取貨碼:信義店,新訂單", "Pickup code: Taipei, just placed"),
        card(TAICHUNG, Course.READY, f"取貨碼:{LEE.name},台中店,已備妥", f"Pickup code: {LEE.name}, Taichung, ready"),
    ]


def _badges(sample: Sample) -> list[Card]:
    return [
        Card(
            name=f"badge-{one.store}-{one.role}",
            text=one.badge,
            chinese=f"員工證:{one.name}",
            english=f"Staff badge: {one.name}, {one.role}",
        )
        for one in sample.staff
        if one.role in ("lead", "manager")
    ]


def _products(sample: Sample) -> list[Card]:
    wanted = {
        "cream": known.CREAM, "toner": known.LOTION, "mask": known.MASK, "latte": known.LATTE,
        "americano": known.AMERICANO, "crisps": known.CHIPS, "tumbler": known.TUMBLER, "gift-card": known.GIFT_CARD,
    }  # fmt: skip
    products = {product.id: product for product in sample.products}
    return [
        Card(
            name=f"product-{word}",
            text=gtin[1:],
            chinese=f"商品:{products[gtin].name['zh-TW']},NT${products[gtin].price_minor['TWD']}",
            english=f"Product: {products[gtin].name['en']}, NT${products[gtin].price_minor['TWD']}",
        )
        for word, gtin in wanted.items()
    ]


def _invoice(now: datetime) -> Card:
    return Card(
        name="invoice-left",
        text=make_invoice(now),
        chinese="電子發票左側 QR 碼",
        english="Left QR code of a Taiwan e-invoice",
    )


def _draw_bars(digits: str) -> Image.Image:
    """An EAN-13 with its digits below, as on a package."""
    made = zxingcpp.create_barcode(digits, zxingcpp.BarcodeFormat.EAN13)
    # zxing-cpp's picture is a buffer, which its types do not say.
    pixels = memoryview(cast("Any", made.to_image(scale=BAR_PX, add_hrt=True, add_quiet_zones=True)))
    height, width = cast("tuple[int, int]", pixels.shape)
    return Image.frombytes("L", (width, height), pixels.tobytes())


def _index(cards: list[Card]) -> str:
    lines = [
        "掃描用的範例條碼。可以列印、用手機顯示,或執行 store-agent scan 檔名。",
        "Sample codes to scan. Print them, show them on a phone, or run: store-agent scan FILE",
        "",
        f"尚未入會的何小姐 / Ms Ho, who is no member yet: {NEWCOMER_PHONE}",
        "",
    ]
    lines += [
        f"密碼:故事裡的會員 {PIN},店員 {STAFF_PIN}",
        f"PINs: the members below {PIN}, everybody who works here {STAFF_PIN}",
        "",
    ]
    for card in cards:
        lines += [card.file, f"    {card.chinese}", f"    {card.english}", f"    {card.text}", ""]
    return "\n".join(lines)
