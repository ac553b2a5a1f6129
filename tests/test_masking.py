"""What is shown of people who were found and not yet identified."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store_agent.words.masking import masked_name, masked_phone


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("王小明", "王*明"),
        ("王明", "王*"),
        ("王", "王*"),
        ("歐陽小明", "歐**明"),
        ("Lily Wang", "L*** W***"),
        ("O'Brien, Conan", "O*** C***"),
        ("黃志明 Wong Chi Ming", "黃** W*** C** M***"),
        ("An", "A*"),
        ("", ""),
    ],
)
def test_a_name_is_masked_as_people_here_mask_it(name: str, masked: str) -> None:
    assert masked_name(name) == masked


@given(st.text(min_size=2, max_size=30))
def test_no_word_of_a_name_stays_whole(name: str) -> None:
    for word in name.split():
        if len(word) > 1 and "*" not in word:
            assert word not in masked_name(name).split()


def test_of_a_phone_number_the_last_three_digits_stay() -> None:
    assert masked_phone("+886912345678") == "… 678"
    assert masked_phone("") == ""
