"""Tags and notes: nothing that two stores add is lost, and nothing is removed unseen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store_agent.domain.operation import Refusal
from store_agent.domain.tags import (
    LONGEST_NOTE,
    AddNote,
    AddTag,
    MemberTags,
    NoteKind,
    RemoveTag,
    Tag,
    TagReason,
    TagsOperation,
    TagWord,
    is_visible,
    label_of,
    tags_at,
)

NOON = datetime(2026, 8, 11, 4, 0, tzinfo=UTC)
SEGMENT = Tag(name="lapsed", source="maac", at=NOON)


def add(
    name: str, minute: int = 0, store: str = "s1", staff: str = "amy", expires_at: datetime | None = None
) -> AddTag:
    at = NOON + timedelta(minutes=minute)
    return AddTag(
        op_id=f"{store}-{name}-{minute}",
        at=at,
        store=store,
        staff=staff,
        member_id="m1",
        name=name,
        expires_at=expires_at,
    )


def remove(name: str, seen_minute: int = 0, minute: int = 30) -> RemoveTag:
    return RemoveTag(
        op_id=f"remove-{name}-{minute}",
        at=NOON + timedelta(minutes=minute),
        store="s1",
        staff="ben",
        member_id="m1",
        name=name,
        seen_at=NOON + timedelta(minutes=seen_minute),
    )


def note(text: str, kind: NoteKind = NoteKind.TALK, op_id: str = "n1", minute: int = 0) -> AddNote:
    at = NOON + timedelta(minutes=minute)
    return AddNote(op_id=op_id, at=at, store="s1", staff="amy", member_id="m1", note_kind=kind, text=text)


def names(row: MemberTags) -> list[str]:
    return [tag.name for tag in row.tags]


def reason(refusal: Refusal | None) -> TagReason | None:
    return None if refusal is None else TagReason(refusal.reason)


def test_a_tag_is_kept_with_author_store_and_time() -> None:
    after = add("vip").effect(None)
    assert after == MemberTags(id="m1", tags=(Tag(name="vip", author="amy", at=NOON, store="s1"),))


def test_adding_a_tag_twice_is_harmless_and_says_who_did_it_when() -> None:
    before = add("vip").effect(None)
    refusal = add("vip", minute=5, staff="ben").judge(before)
    assert refusal == Refusal(TagReason.ALREADY_THERE, {"tag": "vip", "staff": "amy", "since_at": NOON})
    assert names(add("vip", minute=5).effect(before)) == ["vip"]


def test_a_tag_that_a_segment_gives_already_is_not_given_again() -> None:
    refusal = add("lapsed").judge(MemberTags(id="m1", tags=(SEGMENT,)))
    assert refusal is not None
    assert refusal.facts["staff"] == "maac"


def test_a_tag_that_has_run_out_may_be_given_again() -> None:
    before = add("trial", expires_at=NOON + timedelta(days=1)).effect(None)
    later = add("trial", minute=60 * 48)
    assert later.judge(before) is None
    assert tags_at(before, later.at) == ()
    assert names(later.effect(before)) == ["trial"]


def test_segment_tags_are_read_only() -> None:
    before = MemberTags(id="m1", tags=(SEGMENT,))
    assert reason(remove("lapsed").judge(before)) is TagReason.READ_ONLY
    assert remove("lapsed").effect(before) == before


def test_removing_what_is_not_there_is_harmless() -> None:
    assert reason(remove("vip").judge(None)) is TagReason.NOT_THERE
    assert remove("vip").effect(None) == MemberTags(id="m1")


def test_removing_leaves_a_tag_that_was_added_since_it_was_seen() -> None:
    seen = add("vip").effect(None)
    assert remove("vip").judge(seen) is None
    assert names(remove("vip").effect(seen)) == []
    added_again = add("vip", minute=10, store="s2", staff="chen").effect(seen)
    refusal = remove("vip").judge(added_again)
    assert refusal == Refusal(
        TagReason.ADDED_AGAIN, {"tag": "vip", "staff": "chen", "since_at": NOON + timedelta(minutes=10)}
    )
    assert names(remove("vip").effect(added_again)) == ["vip"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 65])
def test_a_tag_needs_a_name_of_reasonable_length(name: str) -> None:
    assert reason(add(name).judge(None)) is TagReason.BAD_NAME


def test_notes_are_kept_in_the_order_in_which_they_were_written() -> None:
    first, second = note("試用後覺得太乾", NoteKind.TRIAL, "n1"), note("申訴瓶蓋", NoteKind.COMPLAINT, "n2", minute=1)
    assert first.judge(None) is None
    row = first.effect(second.effect(None))
    assert [(known.id, known.kind, known.text) for known in row.notes] == [
        ("n1", NoteKind.TRIAL, "試用後覺得太乾"),
        ("n2", NoteKind.COMPLAINT, "申訴瓶蓋"),
    ]


def test_a_note_is_written_once() -> None:
    before = note("likes tea").effect(None)
    assert reason(note("likes tea").judge(before)) is TagReason.NOTE_ALREADY_THERE
    assert note("likes tea").effect(before) == before


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", TagReason.NOTE_EMPTY),
        (" \n\t　", TagReason.NOTE_EMPTY),
        ("字" * LONGEST_NOTE, None),
        ("字" * (LONGEST_NOTE + 1), TagReason.NOTE_TOO_LONG),
    ],
)
def test_a_note_has_something_to_say_and_an_end(text: str, expected: TagReason | None) -> None:
    assert reason(note(text).judge(None)) is expected


def test_a_word_is_shown_in_the_readers_language_and_sensitive_ones_by_role() -> None:
    word = TagWord(
        id="sensitive-skin", labels={"zh_TW": "敏感肌", "en": "Sensitive skin"}, sensitive=True, roles=("lead",)
    )
    assert [label_of(word, language) for language in ("zh_TW", "zh_HK")] == ["敏感肌", "Sensitive skin"]
    assert label_of(TagWord(id="vip"), "en") == "vip"
    assert is_visible(word, "lead")
    assert not is_visible(word, "cashier")
    assert is_visible(TagWord(id="vip"), "cashier")


operations = st.one_of(
    st.builds(add, st.sampled_from("abc"), st.integers(0, 20), st.sampled_from(["s1", "s2"])),
    st.builds(lambda n: note(f"note {n}", op_id=f"n{n}", minute=n), st.integers(0, 9)),
)


@given(data=st.data(), done=st.lists(operations, max_size=8))
def test_additions_of_several_stores_all_survive_in_any_order(data: st.DataObject, done: list[TagsOperation]) -> None:
    other = data.draw(st.permutations(done))
    assert fold(done) == fold(other)
    wanted = {operation.name for operation in done if isinstance(operation, AddTag)}
    assert set(names(fold(done))) == wanted


@given(data=st.data())
def test_operations_on_different_tags_do_not_depend_on_their_order(data: st.DataObject) -> None:
    before = fold([add(name) for name in "abc"])
    done: list[TagsOperation] = [remove("a"), add("b", minute=5, store="s2"), remove("c", seen_minute=-1), add("d")]
    row = fold(data.draw(st.permutations(done)), before)
    assert names(row) == ["b", "c", "d"]


def fold(done: list[TagsOperation], row: MemberTags | None = None) -> MemberTags:
    after = row or MemberTags(id="m1")
    for operation in done:
        after = operation.effect(after)
    return after
