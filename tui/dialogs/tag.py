"""F6: a tag of the vocabulary by typing a part of it, or a note by typing it. Enter does it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from store_agent.desk import tags
from store_agent.desk.counter import Counter
from store_agent.desk.overviews import MemberOverview
from store_agent.domain.tags import NoteKind
from store_agent.safe_text import safe_text
from store_agent.words import _, language, later
from tui.dialogs.dialog import Dialog, Outcome
from tui.keys import Key
from tui.said import done
from tui.widgets.code_box import FormField
from tui.widgets.member_card import NOTE_KINDS

NOTES = (NoteKind.NOTE, NoteKind.TRIAL, NoteKind.TALK, NoteKind.COMPLAINT)


class TagDialog(Dialog):
    """What is typed filters the tags; below them it is offered as a note of each kind."""

    DEFAULT_CSS = """
    TagDialog OptionList { height: 10; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move('cursor_down')", "", show=False),
        Binding("up", "move('cursor_up')", "", show=False),
    ]
    KEYS = (Key("enter", "choose", later("Do it"), ""), Key("↑ ↓", "", later("Choose"), ""))
    keeps_on_scan = True

    def __init__(self, counter: Counter, of_member: MemberOverview) -> None:
        super().__init__(counter)
        self.of_member = of_member
        self.words = tags.vocabulary(counter, language())
        self.held = {shown.tag.name: shown.tag for shown in of_member.tags if not shown.read_only}

    def heading(self) -> str:
        return _("Tag or note")

    def parts(self) -> Iterable[Widget]:
        field = FormField("", id="text")
        field.border_title = _("A part of a tag, or the words of a note")
        yield field
        choices = OptionList(*self._options(""), id="choices")
        choices.can_focus = False
        choices.highlighted = 0 if choices.option_count else None
        yield choices

    def _options(self, text: str) -> list[Option]:
        part = text.casefold().strip()
        found = [(id_, label) for id_, label in self.words if part in label.casefold()]
        # Those to give first: an Enter by mistake must not take one away.
        found.sort(key=lambda word: word[0] in self.held)
        options = [Option(self._tag(id_, label), id=f"tag:{id_}") for id_, label in found]
        if part:
            options += [Option(_note(kind, text), id=f"note:{kind}") for kind in NOTES]
        return options

    def _tag(self, id_: str, label: str) -> Content:
        has = id_ in self.held
        does = f"  {_('take away')}" if has else ""
        return Content.assemble(
            ("✓ " if has else "  ", "$text-success"),
            (safe_text(label), "bold" if has else ""),
            (does, "$foreground 55%"),
        )

    def on_input_changed(self, message: Input.Changed) -> None:
        """The list follows what is typed."""
        choices = self.query_one(OptionList)
        choices.clear_options()
        choices.add_options(self._options(message.value))
        choices.highlighted = 0 if choices.option_count else None

    def action_move(self, how: str) -> None:
        """Arrows go to the list; the field keeps the focus."""
        getattr(self.query_one(OptionList), f"action_{how}")()

    def on_input_submitted(self) -> None:
        """Enter."""
        self.action_choose()

    def on_option_list_option_selected(self) -> None:
        """A click."""
        self.action_choose()

    def action_choose(self) -> None:
        """Give or take the tag, or write the note."""
        choices = self.query_one(OptionList)
        if self.is_over or choices.highlighted is None:
            return
        kind, _colon, name = (choices.get_option_at_index(choices.highlighted).id or "").partition(":")
        if kind == "note":
            self._write(NoteKind(name))
        else:
            self._toggle(name)

    def _toggle(self, name: str) -> None:
        member_id, held = self.of_member.member.id, self.held.get(name)
        label = dict(self.words)[name]
        if held:
            refusal = tags.remove(self.counter, member_id, name, held.at)
            words = _("Tag {tag} taken away.")
        else:
            refusal = tags.add(self.counter, member_id, name)
            words = _("Tag {tag} given.")
        if refusal:
            self.refuse(refusal)
        else:
            self.finish(Outcome(said=done(words.format(tag=label))))

    def _write(self, kind: NoteKind) -> None:
        refusal = tags.note(self.counter, self.of_member.member.id, kind, self.query_one(Input).value)
        if refusal:
            self.refuse(refusal)
        else:
            self.finish(Outcome(said=done(_("The note is kept."))))


def _note(kind: NoteKind, text: str) -> Content:
    return Content.assemble((f"✎ {_(NOTE_KINDS[kind])}: ", "$text-secondary"), safe_text(text, 50))
