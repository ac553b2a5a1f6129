"""Numbers of products: their check digit, and their one spelling of 14 digits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store_agent.domain.products import NO_PRODUCTS, ProductSet, check_digit, to_gtin


@pytest.mark.parametrize(
    ("text", "gtin"),
    [
        ("4710088412345", None),
        ("4006381333931", "04006381333931"),
        ("73513537", "00000073513537"),
        ("036000291452", "00036000291452"),
        ("10012345678902", "10012345678902"),
        ("40063813339310", None),
        ("", None),
        ("0000000000000", None),
        ("４００６３８１３３３９３１", None),
        ("400638133393x", None),
        ("4006381333931\n", None),
    ],
)
def test_only_a_number_whose_check_digit_agrees_is_a_gtin(text: str, gtin: str | None) -> None:
    assert to_gtin(text) == gtin


@given(st.from_regex(r"[0-9]{12}", fullmatch=True).filter(lambda body: body.strip("0")), st.integers(0, 12))
def test_one_wrong_digit_is_always_noticed(body: str, place: int) -> None:
    right = body + check_digit(body)
    wrong = right[:place] + str((int(right[place]) + 1) % 10) + right[place + 1 :]

    assert to_gtin(right) == "0" + right
    assert to_gtin(wrong) is None


def test_a_set_of_products_names_them_by_number_or_by_category() -> None:
    some = ProductSet(gtins=("04006381333931",), categories=("drinks",))

    assert some.has("04006381333931", ())
    assert some.has("00000073513537", ("cold", "drinks"))
    assert not some.has("00000073513537", ("cold",))
    assert not NO_PRODUCTS
