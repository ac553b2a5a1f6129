"""Every refusal has words in every language, and the catalogues say what the source asks for."""

from __future__ import annotations

import ast
import gettext
import importlib
import pkgutil
import re
import string
from collections.abc import Iterator
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import store_agent.domain
from store_agent import words
from store_agent.domain.operation import Refusal
from store_agent.scan import ScanReason
from store_agent.words import LANGUAGES, _, choose_language, compile, use_language
from store_agent.words.formats import age, day, moment, money, use_store, weekday
from store_agent.words.names import NAMES, names_of
from store_agent.words.refusals import WORDS, say, say_instead
from store_agent.words.scans import SCANS, say_scan, say_scan_instead

TRANSLATED = [code for code in LANGUAGES if code != "en"]
DOMAIN = Path(store_agent.domain.__path__[0])


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    before = words.language()
    use_language("en")
    use_store("Asia/Taipei", "TWD")
    yield
    use_language(before)
    use_store("Asia/Taipei", "TWD")


def refusal_reasons() -> list[type[StrEnum]]:
    """Every enumeration of refusals: its name ends in Reason, and its values begin with the name of its noun."""
    found: dict[str, type[StrEnum]] = {}
    for module in pkgutil.iter_modules([str(DOMAIN)]):
        for name, value in vars(importlib.import_module(f"store_agent.domain.{module.name}")).items():
            if isinstance(value, type) and issubclass(value, StrEnum) and name.endswith("Reason"):
                prefix = name.removesuffix("Reason").lower() + "-"
                if any(member.value.startswith(prefix) for member in value):
                    found[name] = value
    return list(found.values())


def placeholders(text: str) -> set[str]:
    return {field.split("!")[0] for _text, field, _spec, _conversion in string.Formatter().parse(text) if field}


def test_every_reason_of_every_noun_has_words_and_no_words_are_left_over() -> None:
    values = [member.value for reasons in refusal_reasons() for member in reasons]
    assert len(values) == len(set(values)), "two nouns use one value"
    assert set(values) - set(WORDS) == set(), "reasons without words"
    assert set(WORDS) - set(values) == set(), "words without a reason"


def test_the_values_of_a_noun_all_begin_with_its_name() -> None:
    for reasons in refusal_reasons():
        prefix = reasons.__name__.removesuffix("Reason").lower() + "-"
        assert all(member.value.startswith(prefix) for member in reasons), reasons


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_refusal_is_translated_with_the_same_facts(code: str) -> None:
    catalogue = words.catalogue(code)
    for value, said in WORDS.items():
        for sentence in (said.what, said.instead):
            translated = catalogue.gettext(sentence)
            assert translated != sentence, f"{value} has no words in {code}"
            assert placeholders(translated) <= placeholders(sentence), value
        both = said.what + said.instead
        assert placeholders(catalogue.gettext(said.what) + catalogue.gettext(said.instead)) <= placeholders(both)


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_sentence_of_the_source_is_translated_with_the_same_placeholders(code: str) -> None:
    written = compile.read(code)
    known = {message.id: message for message in written if message.id}
    for message in compile.sentences():
        if not message.id:
            continue
        assert message.id in known, f"run python -m store_agent.words.compile: {message.id}"
        translations = known[message.id].string
        english = {message.id} if isinstance(message.id, str) else set(message.id)
        for translated in [translations] if isinstance(translations, str) else translations or [""]:
            assert translated, f"{code} has no words for {message.id}"
            assert placeholders(translated) <= set().union(*map(placeholders, english)), translated
    assert compile.untranslated(written) == []


@pytest.mark.parametrize("code", TRANSLATED)
def test_the_compiled_catalogue_is_that_of_the_written_one(code: str) -> None:
    assert compile.file_of(code, "mo").read_bytes() == compile.compiled(compile.read(code))


SIMPLIFIED = "们这请员优订单库货显检无设备码输户号时间录语应资数现开关门"


@pytest.mark.parametrize("code", TRANSLATED)
def test_no_catalogue_holds_a_simplified_character(code: str) -> None:
    assert set(SIMPLIFIED) & set(compile.file_of(code).read_text(encoding="utf-8")) == set()


def facts_of_calls() -> Iterator[tuple[str, set[str]]]:
    """Each `Refusal(SomeReason.MEMBER, {…})` of the domain whose facts are all written out there."""
    values = {f"{reasons.__name__}.{member.name}": member.value for reasons in refusal_reasons() for member in reasons}
    for file in DOMAIN.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id == "Refusal" and node.args and ast.unparse(node.args[0]) in values:
                value = values[ast.unparse(node.args[0])]
                if len(node.args) == 1:
                    yield value, set()
                elif isinstance(node.args[1], ast.Dict) and all(
                    isinstance(key, ast.Constant) for key in node.args[1].keys
                ):
                    yield value, {str(key.value) for key in node.args[1].keys if isinstance(key, ast.Constant)}
            if node.func.id == "refuse" and len(node.args) == 2 and ast.unparse(node.args[1]) in values:
                names = [keyword.arg for keyword in node.keywords]
                if None not in names:
                    yield values[ast.unparse(node.args[1])], {"order_no", *(str(name) for name in names)}


def test_no_sentence_mentions_a_fact_that_the_rule_does_not_give() -> None:
    calls = list(facts_of_calls())
    assert len(calls) > 30
    for value, facts in calls:
        said = WORDS[value]
        assert placeholders(said.what + said.instead) <= facts, value


def test_every_reason_of_an_unknown_scan_has_words() -> None:
    assert set(SCANS) == {reason.value for reason in ScanReason}
    use_language("zh-TW")
    for value in SCANS:
        assert say_scan(value) != SCANS[value].what
        assert say_scan_instead(value) != SCANS[value].instead
    assert say_scan("made-up-tomorrow") == say_scan_instead("made-up-tomorrow") == ""


class AnyReason(StrEnum):
    HANDED_OVER = "pickup-already-handed-over"
    UNPAID = "pickup-unpaid"
    WEEKDAY = "campaign-weekday"
    NEWER = "made-up-tomorrow"


HANDED_OVER = Refusal(
    AnyReason.HANDED_OVER, {"order_no": "A1", "staff": "Mei", "since_at": datetime(2026, 11, 21, 4, 5, tzinfo=UTC)}
)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("en", "Order A1 was already handed over by Mei, 21 Nov 2026 12:05."),
        ("zh-TW", "訂單 A1 已由 Mei 於 2026/11/21 12:05 完成取貨。"),
        ("zh-HK", "訂單 A1 已由 Mei 於 2026年11月21日 12:05 完成取貨。"),
    ],
)
def test_a_refusal_says_who_did_it_and_when_in_the_stores_own_time(code: str, sentence: str) -> None:
    use_language(code)
    assert say(HANDED_OVER) == sentence
    assert say_instead(HANDED_OVER)


def test_money_in_a_refusal_has_the_currency_of_its_facts_else_of_the_store() -> None:
    facts: dict[str, str | int] = {"order_no": "A1", "total_minor": 164000}
    assert "NT$164,000" in say(Refusal(AnyReason.UNPAID, facts))
    assert "HK$1,640.00" in say(Refusal(AnyReason.UNPAID, {**facts, "currency": "HKD"}))


def test_codes_in_a_refusal_are_named() -> None:
    use_language("zh-TW")
    assert say_instead(Refusal(AnyReason.WEEKDAY, {"weekdays": "1,3"})) == "適用日：星期一、星期三。"


def test_a_reason_of_a_newer_centre_and_a_missing_fact_are_still_a_sentence() -> None:
    assert "made-up-tomorrow" in say(Refusal(AnyReason.NEWER))
    assert say_instead(Refusal(AnyReason.NEWER))
    assert say(Refusal(AnyReason.UNPAID)) == "Order – is not paid: –."


@given(st.text(), st.sampled_from(LANGUAGES))
def test_a_hostile_fact_stays_one_harmless_line(text: str, code: str) -> None:
    use_language(code)
    for sentence in (say(Refusal(AnyReason.HANDED_OVER, {"order_no": text, "staff": text + "{x}\x1b[2J\u202e"})),):
        assert not set(sentence) & set("\x1b\u202e\n\r")


@given(st.integers(), st.sampled_from(["TWD", "HKD", "EUR", ""]))
def test_money_keeps_every_digit(amount_minor: int, currency: str) -> None:
    written = money(amount_minor, currency)
    assert int(re.sub(r"\D", "", written)) == abs(amount_minor)
    assert written.startswith("-") == (amount_minor < 0)


def test_money_is_written_as_on_a_price_tag() -> None:
    assert money(1640) == "NT$1,640"
    assert money(1640, "HKD") == "HK$16.40"
    assert money(-5, "HKD") == "-HK$0.05"
    assert money(0) == "NT$0"
    use_store("Asia/Hong_Kong", "HKD")
    assert money(100) == "HK$1.00"


def test_a_moment_of_today_is_only_a_time() -> None:
    at = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
    assert moment(at) == "21 Nov 2026 00:30"
    assert moment(at, now=datetime(2026, 11, 21, 15, 59, tzinfo=UTC)) == "00:30"
    assert moment(at, now=datetime(2026, 11, 20, 15, 59, tzinfo=UTC)) == "21 Nov 2026 00:30"


def test_days_and_weekdays_are_in_the_readers_language() -> None:
    assert (day(date(2026, 1, 2)), weekday(date(2026, 11, 21))) == ("2 Jan 2026", "Saturday")
    use_language("zh-TW")
    assert (day(date(2026, 1, 2)), weekday(date(2026, 11, 21))) == ("2026/1/2", "星期六")
    use_language("zh-HK")
    assert day(date(2026, 1, 2)) == "2026年1月2日"


@pytest.mark.parametrize(
    ("age_s", "english", "taiwan", "hong_kong"),
    [
        (-5, "just now", "剛剛", "剛剛"),
        (59, "just now", "剛剛", "剛剛"),
        (60, "1 minute ago", "1 分鐘前", "1 分鐘前"),
        (200, "3 minutes ago", "3 分鐘前", "3 分鐘前"),
        (7200, "2 hours ago", "2 小時前", "2 小時前"),
        (86400 * 5, "5 days ago", "5 天前", "5 日前"),
    ],
)
def test_an_age_is_said_in_its_largest_unit(age_s: float, english: str, taiwan: str, hong_kong: str) -> None:
    said = []
    for code in ("en", "zh-TW", "zh-HK"):
        use_language(code)
        said.append(age(age_s))
    assert said == [english, taiwan, hong_kong]


def test_every_name_of_a_code_is_translated() -> None:
    for code in TRANSLATED:
        use_language(code)
        assert all(_(name) != name for name in NAMES.values())
    assert names_of("gold,made-up") == "金卡、made-up"


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({"LANG": "zh_TW.UTF-8"}, "zh-TW"),
        ({"LANG": "zh_HK.UTF-8"}, "zh-HK"),
        ({"LANG": "zh_MO"}, "zh-HK"),
        ({"LANG": "zh_CN.UTF-8"}, "zh-TW"),
        ({"LANG": "zh-Hant-HK"}, "zh-HK"),
        ({"LC_ALL": "zh_HK", "LANG": "en_US"}, "zh-HK"),
        ({"LANGUAGE": "zh_TW:en", "LC_ALL": "en_US"}, "zh-TW"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "fr_FR"}, "en"),
        ({}, "en"),
    ],
)
def test_the_machines_language_is_taken_where_none_is_set(environment: dict[str, str], code: str) -> None:
    assert choose_language("auto", environment) == code
    assert choose_language("zh-HK", environment) == "zh-HK"


def test_a_sentence_without_a_translation_is_english_and_nothing_is_nothing() -> None:
    use_language("zh-TW")
    assert _("No such sentence anywhere.") == "No such sentence anywhere."
    assert _("") == ""
    assert isinstance(words.catalogue("zh-TW"), gettext.GNUTranslations)
