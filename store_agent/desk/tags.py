"""What staff say of a member: words of the vocabulary, and notes in their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store_agent.desk.counter import Counter
from store_agent.domain.operation import Refusal
from store_agent.domain.tags import (
    AddNote,
    AddTag,
    MemberTags,
    NoteKind,
    RemoveTag,
    Tag,
    TagReason,
    TagWord,
    is_visible,
    label_of,
    tags_at,
)
from store_agent.safe_text import safe_text


@dataclass(frozen=True, slots=True)
class ShownTag:
    """A tag with the word that a person reads."""

    tag: Tag
    label: str
    read_only: bool


def vocabulary(counter: Counter, language: str, role: str = "cashier") -> list[tuple[str, str]]:
    """The words that staff of this role may give, as (id, label), by label."""
    words: list[TagWord] = counter.replica.view.all("tag_word")
    return sorted(
        ((word.id, label_of(word, language)) for word in words if is_visible(word, role)), key=lambda pair: pair[1]
    )


def shown(counter: Counter, row: MemberTags | None, language: str, role: str = "cashier") -> list[ShownTag]:
    """The tags that hold now and that somebody of this role may see."""
    words: dict[str, TagWord] = {word.id: word for word in counter.replica.view.all("tag_word")}
    tags = []
    for tag in tags_at(row, counter.now()):
        word = words.get(tag.name)
        if word is None or is_visible(word, role):
            label = label_of(word, language) if word else tag.name
            tags.append(ShownTag(tag, label, read_only=tag.source != "store"))
    return tags


def add(counter: Counter, member_id: str, name: str) -> Refusal | None:
    """Give a member a word of the vocabulary; for anything else there are notes."""
    if counter.replica.view.get(TagWord.table, name) is None:
        return Refusal(TagReason.UNKNOWN_WORD, {"tag": safe_text(name)})
    return counter.accept(AddTag(**counter.named(), member_id=member_id, name=name))


def remove(counter: Counter, member_id: str, name: str, seen_at: datetime) -> Refusal | None:
    """Take away a tag that was seen with that time."""
    return counter.accept(RemoveTag(**counter.named(), member_id=member_id, name=name, seen_at=seen_at))


def note(counter: Counter, member_id: str, kind: NoteKind, text: str) -> Refusal | None:
    """Write down what a member said, tried or complained about."""
    return counter.accept(
        AddNote(**counter.named(), member_id=member_id, note_kind=kind, text=safe_text(text, 2000).strip())
    )
