"""Pictures of codes to what they are, as the JSON that `store-agent scan PICTURE... --json` prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from store_agent.optics import RETAIL_FORMATS, Code, read_picture
from store_agent.scan.brands import BrandPattern
from store_agent.scan.invoices import declared_text
from store_agent.scan.kinds import Scan
from store_agent.scan.reading import read_scan
from store_agent.trouble import Trouble


def scan_pictures(
    paths: Iterable[str | Path],
    region: str = "TW",
    *,
    fallback: str | None = None,
    today: date | None = None,
    patterns: Sequence[BrandPattern] = (),
    use_zbar: bool = True,
) -> list[dict[str, Any]]:
    """One object for each picture, in order: `file` and `codes`, empty where none was found.

    A picture that cannot be opened has `trouble` and `hint` as well, and does not keep the others from being read:
    whoever prints this exits with 2 if any has. `fallback` is the charset of bytes that are not UTF-8 (see `optics`).
    """
    found = []
    for path in paths:
        picture: dict[str, Any] = {"file": str(path), "codes": []}
        try:
            codes = read_picture(path, fallback=fallback, use_zbar=use_zbar)
        except Trouble as trouble:
            picture |= {"trouble": trouble.what, "hint": trouble.hint}
        else:
            picture["codes"] = [_described(code, region, today, patterns) for code in codes]
        found.append(picture)
    return found


def _described(code: Code, region: str, today: date | None, patterns: Sequence[BrandPattern]) -> dict[str, Any]:
    # An invoice says its own charset, which is surer than any configured one.
    text = declared_text(code.data) or code.text
    if text is None:
        return {"format": code.format, "hex": code.data.hex(), "kind": "unknown", "reason": "opaque"}
    symbology = "]E0" if code.format in RETAIL_FORMATS else ""
    return {"format": code.format, "text": text} | scan_fields(read_scan(symbology + text, region, today, patterns))


def scan_fields(scan: Scan) -> dict[str, Any]:
    """A scan as JSON: `kind` and `value`, and whichever of `reason`, `also_gtin` and `invoice` it has."""
    fields: dict[str, Any] = {"kind": scan.kind.value, "value": scan.value}
    if scan.reason:
        fields["reason"] = scan.reason.value
    if scan.also_gtin:
        fields["also_gtin"] = scan.also_gtin
    if invoice := scan.invoice:
        fields["invoice"] = {
            "number": invoice.number,
            "issued_on": invoice.issued_on.isoformat(),
            "random_code": invoice.random_code,
            "untaxed_minor": invoice.untaxed_minor,
            "total_minor": invoice.total_minor,
            "currency": "TWD",
            "buyer": invoice.buyer,
            "seller": invoice.seller,
            "items": [{"name": item.name, "quantity": item.quantity, "price": item.price} for item in invoice.items],
            "items_total": invoice.items_total,
        }
    return fields
