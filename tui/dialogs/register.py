"""F4: three fields and a consent. A scan is either for one of them or for none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, Static

from store_agent.desk import members
from store_agent.desk.counter import Counter
from store_agent.domain.members import Member, MemberReason
from store_agent.domain.operation import Refusal
from store_agent.domain.proofs import Proof, ProofKind
from store_agent.safe_text import safe_text
from store_agent.scan import ScanKind, read_phone, read_scan
from store_agent.words import _, later
from tui.dialogs.dialog import Dialog, Outcome
from tui.keys import Key
from tui.naming import person, phone
from tui.said import NOTHING, done, told
from tui.scanning import Scanned
from tui.widgets.code_box import FormField

FIELDS = ("phone", "name", "email")


class RegisterDialog(Dialog):
    """Enter goes on, and on the last field it saves. Works with the cable out; the welcome coupon is usable at once."""

    DEFAULT_CSS = """
    RegisterDialog #consent { height: 1; margin: 0 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "consent", "", show=False),
        Binding("f4", "save", "", show=False),
        Binding("down", "go(1)", "", show=False),
        Binding("up", "go(-1)", "", show=False),
    ]
    KEYS = (
        Key("enter", "next", later("Next, save"), ""),
        Key("f2", "consent", later("Agrees to news"), ""),
        Key("f4", "save", later("Save"), ""),
    )
    keeps_on_scan = True

    def __init__(self, counter: Counter, typed: str = "", code: str = "") -> None:
        super().__init__(counter)
        self.typed = safe_text(typed)
        self.code = code
        """The member card that was scanned and belongs to nobody yet."""
        self.marketing = False
        self.there: Member | None = None

    def heading(self) -> str:
        return _("Register a member")

    def parts(self) -> Iterable[Widget]:
        begun = dict.fromkeys(FIELDS, "") | {_field_for(self.typed): self.typed}
        titles = {"phone": _("Phone"), "name": _("Name"), "email": _("Mail (may stay empty)")}
        for name in FIELDS:
            field = FormField(begun[name], id=name, select_on_focus=False)
            field.border_title = titles[name]
            yield field
        yield Static("", id="consent", markup=False)

    def on_mount(self) -> None:
        """Begin where something is missing."""
        self._show_consent()
        begun = _field_for(self.typed)
        self.query_one("#name" if self.typed and begun == "phone" else "#phone").focus()
        self._check_phone()
        if self.code:
            self.say(told(_("The new card {code} will be theirs.").format(code=safe_text(self.code))))

    def value(self, name: str) -> str:
        """What stands in a field."""
        return self.query_one(f"#{name}", Input).value

    def _show_consent(self) -> None:
        sign = "[✓]" if self.marketing else "[ ]"
        self.query_one("#consent", Static).update(f"{sign} " + _("Agrees to get news and offers (F2)"))

    def _check_phone(self) -> None:
        """Say at once that somebody is a member already; nobody is asked for the same things twice."""
        number = read_phone(self.value("phone"), self.counter.store.region)
        self.there = members.by_field(self.counter, "phone", number) if number else None
        if self.there:
            words = _("{name} ({phone}) is already a member.")
            said = told(words.format(name=person(self.there), phone=phone(self.there.phone)), _("Enter opens them."))
            self.say(said)
        elif not self.code:
            self.say(NOTHING)

    def on_input_changed(self, message: Input.Changed) -> None:
        """The phone is looked up as it is typed."""
        if message.input.id == "phone":
            self._check_phone()

    def action_consent(self) -> None:
        """The tick, from any field."""
        self.marketing = not self.marketing
        self._show_consent()

    def action_go(self, steps: int) -> None:
        """Arrows go between the fields."""
        focused = self.focused.id if self.focused else None
        place = FIELDS.index(focused) if focused in FIELDS else 0
        self.query_one(f"#{FIELDS[max(0, min(len(FIELDS) - 1, place + steps))]}").focus()

    async def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter."""
        self.action_next()

    def action_next(self) -> None:
        """On, or on the last field save."""
        if self.there:
            self.finish(Outcome(open_member=self.there.id, said=told(_("This is an existing member."))))
        elif self.focused is not None and self.focused.id == FIELDS[-1]:
            self.action_save()
        else:
            self.action_go(1)

    def action_save(self) -> None:
        """Sign them up."""
        if self.is_over:
            return
        if self.there:
            self.action_next()
            return
        result = members.register(
            self.counter,
            self.value("phone"),
            self.value("name"),
            self.value("email"),
            marketing=self.marketing,
            code=self.code,
        )
        if isinstance(result, Member):
            said = done(_("{name} is now a member.").format(name=person(result)))
            proof = Proof(kind=ProofKind.JOINED, member_id=result.id)
            self.finish(Outcome(said=said, open_member=result.id, proof=proof))
            return
        self.refuse(result)
        wrong = {
            MemberReason.NAME_MISSING: "name",
            MemberReason.NAME_LONG: "name",
            MemberReason.EMAIL_INVALID: "email",
        }
        self.query_one(f"#{_of(wrong, result)}").focus()

    def take_scan(self, message: Scanned) -> bool:
        """A phone number goes into its field whatever has the focus; a member card becomes theirs."""
        scan = read_scan(message.text, region=self.counter.store.region)
        if scan.kind is ScanKind.PHONE:
            self.query_one("#phone", Input).value = scan.value
            self.query_one("#name").focus()
            return True
        if scan.kind is ScanKind.MEMBER_CODE:
            holder = members.by_field(self.counter, "code", scan.value)
            if holder:
                self.finish(Outcome(open_member=holder.id))
                return True
            self.code = scan.value
            self.say(told(_("The new card {code} will be theirs.").format(code=scan.value)))
            return True
        return False


def _field_for(typed: str) -> str:
    """The field that what was typed into the box belongs in."""
    if "@" in typed:
        return "email"
    return "name" if any(character.isalpha() for character in typed) else "phone"


def _of(wrong: dict[MemberReason, str], refusal: Refusal) -> str:
    return next((name for reason, name in wrong.items() if reason is refusal.reason), "phone")
