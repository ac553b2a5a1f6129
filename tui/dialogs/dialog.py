"""What every dialog shares: a frame, a line that speaks, a line of keys, one way out, and what a scan does meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget

from store_agent.desk.approvals import Approval
from store_agent.desk.counter import Counter
from store_agent.desk.rights import Want
from store_agent.domain.operation import Refusal
from store_agent.domain.proofs import Proof
from store_agent.words import _, later
from tui.keys import Key
from tui.naming import with_names
from tui.said import NOTHING, Said, Tone, refused, told, warned
from tui.scanning import Scanned
from tui.speaking import Speaking
from tui.widgets.key_bar import KeyBar
from tui.widgets.notice import Notice

if TYPE_CHECKING:
    from tui.app import StoreApp

LEAVE = Key("escape", "leave", later("Back"), "")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the counter does once a dialog has ended."""

    said: Said = field(default_factory=lambda: Said(""))
    open_member: str = ""
    served: bool = False
    """The basket is paid for; the next one begins."""
    then: str = ""
    """The action of the counter that goes on from here."""
    chosen: tuple[str, ...] | None = None
    """The coupons that were chosen so far, for the dialog that goes on."""
    proof: Proof | None = None
    """What was shown of who stands there."""
    approval: Approval | None = None
    scanned: Scanned | None = None
    """A scan that was not for this dialog."""


class Dialog(Speaking, ModalScreen[Outcome | None]):
    """A dialog does its job with one verb of a desk. What is refused is said inside, and nothing typed is lost."""

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 60%; }
    Dialog > .frame {
        width: 72; max-width: 100%; height: auto; max-height: 100%;
        border: round $primary; border-title-color: $text-primary; border-title-style: bold;
        border-subtitle-color: $text-muted; background: $surface; padding: 1 1 0 1; overflow-y: auto;
        scrollbar-size: 0 1;
    }
    Dialog Notice { margin: 1 0 0 0; }
    Dialog KeyBar { dock: none; background: transparent; margin: 0; }
    Dialog Input { border: round $foreground 25%; background: transparent; height: 3; padding: 0 1; }
    Dialog Input:focus { border: round $accent; }
    Dialog OptionList, Dialog OptionList:focus {
        border: none; background: transparent; padding: 0; max-height: 1fr; scrollbar-size: 0 1;
    }
    Dialog OptionList > .option-list--option-highlighted,
    Dialog OptionList:focus > .option-list--option-highlighted {
        background: $primary 30%; color: $foreground; text-style: bold;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "", show=False),
        # A dialog keeps the keys of the program from it; the cable is to be pulled at any moment.
        Binding("f12", "app.cable", "", show=False),
    ]
    KEYS: ClassVar[tuple[Key, ...]] = ()
    keeps_on_scan: ClassVar[bool] = False
    """Whether something was typed here that a scan for somewhere else must not throw away."""

    def __init__(self, counter: Counter) -> None:
        super().__init__()
        self.counter = counter
        self._is_over = False
        self._is_asking = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="frame") as frame:
            frame.border_title = self.heading()
            yield from self.parts()
            yield Notice()
            yield KeyBar((*self.keys(), LEAVE))
        yield cast("StoreApp", self.app).make_status_bar()

    def heading(self) -> str:
        """The title of the frame."""
        raise NotImplementedError

    def parts(self) -> Iterable[Widget]:
        """What is inside the frame."""
        raise NotImplementedError

    def keys(self) -> tuple[Key, ...]:
        """Those that do something now."""
        return self.KEYS

    def show_keys(self) -> None:
        """Other keys do something now."""
        self.query_one(KeyBar).keys = (*self.keys(), LEAVE)

    def follow(self) -> None:
        """Rows came, or another terminal did something: show it."""

    def say(self, said: Said) -> None:
        """Speak inside the dialog."""
        self.query_one(Notice).said = said
        if said.tone is Tone.REFUSED:
            self.app.bell()

    def refuse(self, refusal: Refusal, instead: str = "") -> None:
        """Say why not; the dialog stays as it is."""
        self.say(refused(with_names(self.counter, refusal), instead))

    def once_covered(self, wants: Sequence[Want], act: Callable[[], None]) -> None:
        """Act, once the centre was asked for what this store holds no right to. Enter pressed meanwhile does nothing."""
        if self._is_asking:
            return
        if not wants or self.counter.acquire is None:
            act()
            return
        self._is_asking = True
        self.say(told(_("One moment: the centre is setting this aside…")))
        self.run_worker(self._act_after(self.counter.acquire(wants), act), group="cover", exclusive=True)

    async def _act_after(self, question: Awaitable[None], act: Callable[[], None]) -> None:
        try:
            await question
        finally:
            self._is_asking = False
        if not self.is_over:
            self.say(NOTHING)
            act()

    def finish(self, outcome: Outcome | None = None) -> None:
        """End once: an Enter that was pressed twice comes here twice."""
        if not self._is_over:
            self._is_over = True
            self.dismiss(outcome)

    @property
    def is_over(self) -> bool:
        """Whether it ended already."""
        return self._is_over

    def action_leave(self) -> None:
        """Nothing happened."""
        self.finish()

    def on_scanned(self, message: Scanned) -> None:
        """A scan never goes into a field that it is not for."""
        message.stop()
        if self.is_over or self.take_scan(message):
            return
        if self.keeps_on_scan:
            self.say(
                warned(_("That code is not for this form."), _("Finish here, or leave with Esc, then scan again."))
            )
            return
        self.finish(Outcome(scanned=message))

    def take_scan(self, message: Scanned) -> bool:
        """Whether the scan was for this dialog, which then has used it."""
        return False
