"""What staff know about a member: tags from a controlled vocabulary, and notes.

Tags and notes change by adding and removing, each with author and time, never by writing a list: what two stores add at
the same time both stays, and a removal takes away only what the person who removed it had seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from store_agent.domain.operation import Operation, Refusal

STORE_SOURCE = "store"
"""The source of tags that staff gave. Tags of any other source (marketing segments) are read here, never changed."""

LONGEST_TAG = 64
LONGEST_NOTE = 1000
"""Characters."""


class NoteKind(StrEnum):
    """What a note is about."""

    TRIAL = "trial"
    TALK = "talk"
    COMPLAINT = "complaint"
    NOTE = "note"


class TagReason(StrEnum):
    """Why a tag or note may not be changed so, in order of precedence."""

    BAD_NAME = "tag-bad-name"
    UNKNOWN_WORD = "tag-unknown-word"
    ALREADY_THERE = "tag-already-there"
    NOT_THERE = "tag-not-there"
    READ_ONLY = "tag-read-only"
    ADDED_AGAIN = "tag-added-again"
    NOTE_EMPTY = "tag-note-empty"
    NOTE_TOO_LONG = "tag-note-too-long"
    NOTE_ALREADY_THERE = "tag-note-already-there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """One tag on a member; `name` is the id of a word of the vocabulary."""

    name: str
    source: str = STORE_SOURCE
    author: str = ""
    at: datetime
    store: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What somebody wrote down about a member."""

    id: str
    kind: NoteKind = NoteKind.NOTE
    text: str
    author: str = ""
    at: datetime
    store: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberTags:
    """All tags and notes of one member; the id is the member's."""

    table: ClassVar[str] = "tags"

    id: str
    tags: tuple[Tag, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TagWord:
    """One word of the vocabulary."""

    table: ClassVar[str] = "tag_word"

    id: str
    labels: dict[str, str] = field(default_factory=dict)
    """Language to text."""
    sensitive: bool = False
    roles: tuple[str, ...] = ()
    """Who sees it where it is sensitive."""


def label_of(word: TagWord, language: str) -> str:
    """The word as a person reads it; where a language is missing, English, else its id."""
    return word.labels.get(language) or word.labels.get("en") or word.id


def is_visible(word: TagWord, role: str) -> bool:
    """Whether somebody of this role may see the word on a member."""
    return not word.sensitive or role in word.roles


def tags_at(row: MemberTags | None, at: datetime) -> tuple[Tag, ...]:
    """The tags that hold at a moment."""
    return tuple(tag for tag in row.tags if _holds(tag, at)) if row else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TagsOperation(Operation):
    """What all changes share: the member."""

    table: ClassVar[str] = "tags"

    member_id: str

    @property
    def subject(self) -> str:
        return self.member_id

    def row(self, before: Any) -> MemberTags:
        """The row as it stands; a member of whom nothing is known has no tags."""
        if before is not None:
            found: MemberTags = before
            return found
        return MemberTags(id=self.member_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddTag(TagsOperation):
    """A member gets a tag of the vocabulary from the staff of a store."""

    kind: ClassVar[str] = "add-tag"

    name: str
    expires_at: datetime | None = None

    def judge(self, before: Any) -> Refusal | None:
        if not self.name.strip() or len(self.name) > LONGEST_TAG:
            return Refusal(TagReason.BAD_NAME, {"limit": LONGEST_TAG})
        for tag in self.row(before).tags:
            if tag.name == self.name and _holds(tag, self.at):
                return _refuse(TagReason.ALREADY_THERE, tag)
        return None

    def effect(self, before: Any) -> MemberTags:
        row = self.row(before)
        tag = Tag(name=self.name, author=self.staff, at=self.at, store=self.store, expires_at=self.expires_at)
        same = [known for known in row.tags if _is_ours(known, self.name)]
        # Of two stores that gave the same tag the later stays, in whatever order they are heard of.
        newest = max([*same, tag], key=_rank)
        rest = (known for known in row.tags if not _is_ours(known, self.name))
        return replace(row, tags=_in_order((*rest, newest)))


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveTag(TagsOperation):
    """A tag that staff gave is taken away, as far as it had been seen."""

    kind: ClassVar[str] = "remove-tag"

    name: str
    seen_at: datetime
    """The time of the tag that was on the screen: one added since then is not removed unseen."""

    def judge(self, before: Any) -> Refusal | None:
        same = [tag for tag in self.row(before).tags if tag.name == self.name]
        ours = [tag for tag in same if _is_ours(tag, self.name)]
        if not same:
            return Refusal(TagReason.NOT_THERE, {"tag": self.name})
        if not ours:
            return _refuse(TagReason.READ_ONLY, same[0])
        return _refuse(TagReason.ADDED_AGAIN, ours[0]) if ours[0].at > self.seen_at else None

    def effect(self, before: Any) -> MemberTags:
        row = self.row(before)
        return replace(
            row, tags=tuple(tag for tag in row.tags if not _is_ours(tag, self.name) or tag.at > self.seen_at)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AddNote(TagsOperation):
    """Somebody writes down what a member said, tried or complained about. The note's id is the operation's."""

    kind: ClassVar[str] = "add-note"

    note_kind: NoteKind = NoteKind.NOTE
    text: str

    def judge(self, before: Any) -> Refusal | None:
        if not self.text.strip():
            return Refusal(TagReason.NOTE_EMPTY)
        if len(self.text) > LONGEST_NOTE:
            return Refusal(TagReason.NOTE_TOO_LONG, {"length": len(self.text), "limit": LONGEST_NOTE})
        for note in self.row(before).notes:
            if note.id == self.op_id:
                return Refusal(TagReason.NOTE_ALREADY_THERE, {"staff": note.author or "—", "since_at": note.at})
        return None

    def effect(self, before: Any) -> MemberTags:
        row = self.row(before)
        if any(note.id == self.op_id for note in row.notes):
            return row
        note = Note(id=self.op_id, kind=self.note_kind, text=self.text, author=self.staff, at=self.at, store=self.store)
        return replace(row, notes=tuple(sorted((*row.notes, note), key=lambda known: (known.at, known.id))))


def _holds(tag: Tag, at: datetime) -> bool:
    return tag.expires_at is None or at < tag.expires_at


def _is_ours(tag: Tag, name: str) -> bool:
    return tag.name == name and tag.source == STORE_SOURCE


def _rank(tag: Tag) -> tuple[datetime, str, str, bool, datetime]:
    return tag.at, tag.store, tag.author, tag.expires_at is None, tag.expires_at or tag.at


def _in_order(tags: Iterable[Tag]) -> tuple[Tag, ...]:
    return tuple(sorted(tags, key=lambda tag: (tag.name, tag.source)))


def _refuse(reason: TagReason, tag: Tag) -> Refusal:
    """A refusal that says whose tag it is (`staff`, else its source) and since when."""
    return Refusal(reason, {"tag": tag.name, "staff": tag.author or tag.source, "since_at": tag.at})
