"""What the servers' keys are good for, and for nothing else."""

from pathlib import Path

import pytest

from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.contract.grant import Credentials
from jupyter_repl_runner.contract.pod import Renewal
from jupyter_repl_runner.contract.proof import Question
from jupyter_repl_runner.sync.orders import Orders
from jupyter_repl_spawner.kubernetes import names
from jupyter_repl_spawner.kubernetes.keys import Key, Keys, read_keys

KEY, OTHER = Key(b"k" * 32), Key(b"o" * 32)
SECRET = KEY.secret("uid", 3)
CREDENTIALS = Credentials("id", "the secret key", "token", 5.0)


def test_an_order_is_for_one_pod_one_path_one_question_and_of_one_key() -> None:
    orders, question = Orders(KEY.public, "uid"), Question("/flush")
    signature = KEY.sign("uid", question, b"{}")
    assert orders.is_ours(question, b"{}", signature)
    assert not orders.is_ours(question, b"{} ", signature)
    assert not orders.is_ours(Question("/flush"), b"{}", signature)
    assert not orders.is_ours(Question("/status", question.nonce), b"{}", signature)
    assert not Orders(KEY.public, "another").is_ours(question, b"{}", signature)
    assert not orders.is_ours(question, b"{}", OTHER.sign("uid", question, b"{}"))
    assert not orders.is_ours(question, b"{}", signature.replace(KEY.id, OTHER.id))


def test_an_answer_is_believed_in_its_place_alone() -> None:
    question = Question("/flush")
    line = question.line(SECRET, 200, 1, {"saved": True}).encode()
    assert question.read(SECRET, 200, 1, line) == {"saved": True}
    for other, secret, status, number, said in [
        (Question("/flush"), SECRET, 200, 1, line),
        (Question("/status", question.nonce), SECRET, 200, 1, line),
        (question, KEY.secret("uid", 4), 200, 1, line),
        (question, SECRET, 503, 1, line),
        (question, SECRET, 200, 0, line),
        (question, SECRET, 200, 1, line.replace(b"true", b"false")),
        (question, SECRET, 200, 1, question.line("", 200, 1, {"saved": True}).encode()),
        (question, SECRET, 200, 1, b"\xff\xfe"),
        (question, SECRET, 200, 1, b""),
    ]:
        with pytest.raises(ValueError):  # noqa: PT011 - whatever is wrong with it
            other.read(secret, status, number, said)


def test_new_credentials_are_for_one_pod_and_generation() -> None:
    renewal = KEY.seal("uid", 3, CREDENTIALS)
    assert "the secret key" not in renewal.to_json()
    assert Orders(KEY.public, "uid").unseal(Renewal.from_json(renewal.to_json()), SECRET) == CREDENTIALS
    for orders, sealed, secret in [
        (Orders(KEY.public, "another"), renewal, SECRET),
        (Orders(KEY.public, "uid"), Renewal(4, renewal.sealed), SECRET),
        (Orders(KEY.public, "uid"), renewal, KEY.secret("uid", 4)),
    ]:
        with pytest.raises(ValueError, match="somebody else"):
            orders.unseal(sealed, secret)


def test_a_pod_keeps_the_key_that_it_was_made_with() -> None:
    keys = Keys([b"n" * 32, b"k" * 32])
    old = {"metadata": {"annotations": {names.KEY: KEY.id}}}
    assert keys.of(old).token("uid", 1) == KEY.token("uid", 1)
    assert keys.of({"metadata": {}}).id == keys.current.id != KEY.id
    with pytest.raises(Unavailable, match=OTHER.id):
        keys.of({"metadata": {"annotations": {names.KEY: OTHER.id}}})


def test_the_file_of_keys(tmp_path: Path) -> None:
    place = tmp_path / "new/key"
    made = read_keys(place)
    assert place.stat().st_mode & 0o777 == 0o600
    assert read_keys(place).current.id == made.current.id
    place.write_text(f"{'ab' * 32}\n\n{place.read_text()}")
    ring = read_keys(place)
    assert ring.current.id != made.current.id
    assert ring.of({"metadata": {"annotations": {names.KEY: made.current.id}}}).public == made.current.public
    for text in ("", "abc\n", "ab" * 31, "zz" * 32):
        place.write_text(text)
        with pytest.raises(Unavailable):
            read_keys(place)
