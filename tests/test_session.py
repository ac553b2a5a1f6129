"""What a store says next and what it makes of a reply, without any line: nothing false is ever taken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from store_agent.codec import encode_row
from store_agent.domain.members import Member
from store_agent.replica import Replica, unread
from store_agent.replica.journal import Place
from store_agent.replica.standing import Freeze, Frozen
from store_agent.trouble import Trouble
from sync.session import Rubbish, Session
from sync.wire import ANSWER, AnswerBody, FeedRow, PullReply, PushReply, StreamPage
from tests.test_replica import KEY, begin, note

OWN = "store/s1"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with begin(tmp_path) as replica:
        for n in range(4):
            note(replica, str(n))
        yield Session(replica, batch_most=4)


def row(position: int, id_: str = "m9", body: bytes | None = None, table: str = "member", revision: int = 1) -> FeedRow:
    text = body if body is not None else encode_row(Member(id=id_, phone="+886911111111", name="陳"))
    return FeedRow(position, table, id_, revision, msgspec.Raw(text))


def pulled(*rows: FeedRow, stream: str = OWN, head: int | None = None, end: int | None = None) -> PullReply:
    position = end if end is not None else (rows[-1].position if rows else 0)
    return PullReply("i", {stream: StreamPage(position, position if head is None else head, list(rows))})


def answer(position: int, session: Session) -> FeedRow:
    entry = session.replica.outbox(1)[0]
    body = AnswerBody(entry.operation.op_id, entry.epoch, entry.seq, "applied")
    return FeedRow(position, ANSWER, body.op_id, 1, msgspec.Raw(msgspec.json.encode(body)))


def state(replica: Replica) -> Any:
    cache = replica.cache
    return (
        cache.cursors(),
        cache.received(),
        cache.last_answer(),
        cache.get("member", "m9"),
        cache.setting("incarnation"),
    )


def numbers(session: Session) -> list[int]:
    request = session.draft()
    return [msgspec.json.decode(raw)["seq"] for raw in request.operations] if request else []


def test_the_oldest_go_first_and_what_was_received_is_not_sent_again(session: Session) -> None:
    assert numbers(session) == numbers(session) == [1, 2, 3, 4], "a lost reply is one that was never absorbed"
    session.received(PushReply(1, 2, "i"))
    assert numbers(session) == [3, 4, 5]
    session.received(PushReply(1, 1, "i"))
    assert numbers(session) == [3, 4, 5], "a late reply takes nothing back"
    session.received(PushReply(1, 5, "i"))
    assert session.draft() is None
    assert session.replica.view.waiting_count() == 5, "received is not yet included"


def test_a_centre_that_holds_more_than_the_journal_freezes_it(session: Session) -> None:
    session.received(PushReply(1, 6, "i"))
    assert session.replica.cache.received() == (Place(0, 0), ""), "nothing is taken of it"
    assert session.replica.standing.frozen == "rolled-back"
    session.replica.standing.freeze(Freeze.OTHER_EPOCH)
    assert session.replica.standing.frozen == "rolled-back", "what froze it first is told"
    assert session.needs_epoch()


def test_another_operation_under_an_own_number_freezes_and_an_epoch_that_nobody_told_too(tmp_path: Path) -> None:
    for folder, reply, why in (
        ("a", PushReply(1, 1, "i", "0" * 64), "forked"),
        ("b", PushReply(2, 0, "i"), "other-epoch"),
    ):
        (tmp_path / folder).mkdir()
        with begin(tmp_path / folder) as replica:
            Session(replica).received(reply)
            assert replica.standing.frozen == why
            with pytest.raises(Frozen, match="Nothing is lost"):
                note(replica, "not now")


def test_a_batch_is_halved_to_one_and_grows_again(session: Session) -> None:
    sizes = []
    while session.halve():
        sizes.append(len(numbers(session)))
    assert sizes == [2, 1]
    assert not session.halve(), "one alone cannot be halved"
    sizes = []
    for seq in (1, 2, 3, 4):
        sizes.append(len(numbers(session)))
        session.received(PushReply(1, seq, "i"))
    assert sizes == [1, 2, 3, 2]


def test_a_reply_is_taken_with_its_cursor(session: Session) -> None:
    assert session.absorb(pulled(row(1), answer(2, session), head=5)) == 2
    assert session.cursors() == {"chain": 0, OWN: 2}
    assert session.replica.cache.cursors()[OWN] == (2, 5)
    assert session.replica.view.waiting_count() == 4
    assert session.replica.view.get("member", "m9").name == "陳"
    assert session.absorb(pulled(end=2, head=5)) == 0


SENSELESS = [
    pulled(row(2)),
    pulled(row(1), row(3)),
    pulled(row(1), row(1)),
    pulled(row(2), row(1)),
    pulled(row(2), row(1), end=2),
    pulled(row(5), end=1),
    pulled(row(1), end=2),
    pulled(end=7),
    pulled(row(1), head=0),
    pulled(row(0)),
    pulled(row(-1)),
    pulled(row(1), stream="store/s2"),
    pulled(row(1), stream="weather"),
    pulled(row(1, body=b'{"id":"other","phone":"","name":""}')),
    pulled(row(1, body=b'{"id":"m9","phone":"\xff","name":""}')),
    pulled(row(1, body=b"[" * 5000)),
    pulled(row(1, table="of_tomorrow", body=b"[]")),
    pulled(row(1, table="of_tomorrow", body=b'{"id":"another"}')),
    pulled(row(1, table="Of Tomorrow")),
    pulled(row(1, table='member"; drop table member; --')),
    pulled(row(1, table=ANSWER, body=b"{}")),
    pulled(row(1, table=ANSWER, body=b'{"op_id":"\xff"}')),
    pulled(row(1), row(2, id_="x", body=b"null")),
]


def test_nothing_is_taken_of_a_reply_that_makes_no_sense(session: Session) -> None:
    before = state(session.replica)
    for reply in SENSELESS:
        with pytest.raises(Trouble):
            session.absorb(reply)
        assert state(session.replica)[:4] == before[:4]
    assert session.absorb(pulled(row(1))) == 1, "the right one is taken after it"


def test_a_centre_that_answers_an_old_cursor_is_asked_again(session: Session) -> None:
    session.absorb(pulled(row(1), row(2)))
    with pytest.raises(Rubbish, match="leaves something out"):
        session.absorb(pulled(row(1), row(2)))
    assert session.cursors()[OWN] == 2


def test_a_centre_of_another_life_is_read_anew_and_gets_everything_again(session: Session) -> None:
    session.absorb(pulled(row(1), answer(2, session)))
    session.received(PushReply(1, 3, "i"))
    assert session.replica.view.waiting_count() == 4
    with Replica(session.replica.folder, KEY) as terminal:
        assert terminal.view.get("member", "m9") is not None
        assert session.absorb(PullReply("another", {OWN: StreamPage(2, 2, [row(2)])})) == 1
        for replica in (session.replica, terminal):
            assert replica.view.get("member", "m9") is None, "its positions mean nothing there"
            assert replica.view.search("member", "陳", 9) == []
            assert replica.view.waiting_count() == 5, (
                "all that happened here is over the rows until it is answered again"
            )
    assert session.cursors()[OWN] == 0
    assert numbers(session) == [1, 2, 3, 4]
    session.received(PushReply(1, 2, "another"))
    assert numbers(session) == [3, 4, 5]
    assert session.replica.cache.setting("catching_up") == "yes"
    session.absorb(PullReply("another", {OWN: StreamPage(1, 1, [row(1)])}))
    assert session.replica.cache.setting("catching_up") == ""
    assert [one.id for one in session.replica.view.search("member", "陳", 9)] == ["m9"]


def test_a_centre_that_was_replaced_and_comes_back_is_believed_nothing(session: Session) -> None:
    session.absorb(pulled(row(1)))
    session.absorb(PullReply("another", {}))
    for reply in (pulled(row(1)), PullReply("i", {})):
        with pytest.raises(Rubbish, match="replaced"):
            session.absorb(reply)
    with pytest.raises(Rubbish, match="replaced"):
        session.received(PushReply(1, 3, "i"))
    assert session.cursors()[OWN] == 0
    assert numbers(session) == [1, 2, 3, 4]


def test_rows_of_a_newer_version_are_put_aside_and_read_by_one_that_knows_them(session: Session) -> None:
    newer = encode_row(Member(id="m9", phone="+886911111111", name="陳")).replace(b'"basic"', b'"diamond"')
    assert b"diamond" in newer
    tomorrow = b'{"id":"m9","colour":"blue"}'
    assert session.absorb(pulled(row(1, revision=1))) == 1
    assert session.absorb(pulled(row(2, revision=2, body=newer), row(3, table="of_tomorrow", body=tomorrow))) == 2
    cache = session.replica.cache
    assert session.cursors()[OWN] == 3, "positions stay gapless"
    assert cache.unread_count() == 2
    assert cache.get("member", "m9").name == "陳", "what could be read before stays"
    with Replica(session.replica.folder, KEY) as again:
        assert again.cache.unread_count() == 2, "this version still cannot"
    read = unread.read
    fixed = patch.object(unread, "read", lambda t, i, b: read(t, i, b.replace("diamond", "gold")))
    with fixed, Replica(session.replica.folder, KEY) as upgraded:
        assert upgraded.cache.unread_count() == 1
        assert upgraded.cache.db.execute("select revision from member where id = 'm9'").fetchone() == (2,)
    session.absorb(pulled(row(4, table="of_tomorrow", body=tomorrow, revision=7)))
    assert cache.unread_count() == 1


def test_a_readable_revision_ends_what_was_aside(session: Session) -> None:
    newer = encode_row(Member(id="m9", phone="+886911111111", name="陳")).replace(b'"basic"', b'"diamond"')
    session.absorb(pulled(row(1, revision=2, body=newer)))
    session.absorb(pulled(row(2, revision=1)))
    assert session.replica.cache.unread_count() == 1, "an older one is not what the centre says now"
    session.absorb(pulled(row(3, revision=3)))
    assert session.replica.cache.unread_count() == 0


def test_rubbish_names_no_centre_that_later_ones_are_measured_by(session: Session) -> None:
    with pytest.raises(Rubbish):
        session.absorb(PullReply("a captive portal", {OWN: StreamPage(9, 9, [row(9)])}))
    assert session.absorb(pulled(row(1))) == 1


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (PullReply, '{"incarnation":"i","streams":{"chain":{"position":0,"head":BIG,"rows":[]}}}'),
        (PullReply, '{"incarnation":"i","streams":{"chain":{"position":1,"head":1,"rows":[[1,"member","a",BIG,{}]]}}}'),
        (AnswerBody, '{"op_id":"a","epoch":1,"seq":BIG,"outcome":"applied"}'),
        (PushReply, '{"epoch":1,"seq":-1,"incarnation":"i"}'),
    ],
)
def test_a_number_that_no_database_holds_is_no_reply(kind: Any, text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text.replace("BIG", "9" * 30), type=kind)


def test_a_cache_that_is_deleted_under_a_running_store_is_read_again_from_the_start(session: Session) -> None:
    session.absorb(pulled(row(1), row(2)))
    with Replica(session.replica.folder, KEY) as terminal:
        assert terminal.view.get("member", "m9") is not None
        for file in terminal.folder.glob("cache.db*"):
            file.unlink()
        assert session.cursors()[OWN] == 0
        session.absorb(pulled(row(1, id_="m8", body=b'{"id":"m8","phone":"","name":"x"}')))
        # What a terminal asks a few times a second; it looks at the folder then.
        assert terminal.version() != (0, 0)
        assert terminal.view.get("member", "m9") is None
        assert terminal.view.get("member", "m8") is not None
        assert terminal.view.waiting_count() == session.replica.view.waiting_count() == session.replica.journal.count()
