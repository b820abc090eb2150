import pytest

from rntk_bench.errors import StorageError
from rntk_bench.storage.checkpoint import Checkpoint

HEADER = {"seed": 0, "data": "f"}
ENTRIES = [{"fold": fold, "hits": [1, 2, fold]} for fold in range(3)]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "Coffee" / "gru.partial"
    journal = Checkpoint(path, HEADER)
    assert journal.entries == []
    for entry in ENTRIES:
        journal.append(entry)
    return path


def test_what_was_appended_is_read(path):
    assert Checkpoint(path, HEADER).entries == ENTRIES
    assert [file.name for file in path.parent.iterdir()] == ["gru.partial"]


def test_entries_of_another_header_are_left_out_and_gone_with_the_next(path):
    other = Checkpoint(path, {"seed": 1})
    assert other.entries == []
    assert Checkpoint(path, HEADER).entries == ENTRIES
    other.append(ENTRIES[2])
    assert Checkpoint(path, {"seed": 1}).entries == [ENTRIES[2]]
    assert Checkpoint(path, HEADER).entries == []


@pytest.mark.parametrize("at", [0.02, 0.3, 0.5, 0.8, 0.97])
@pytest.mark.parametrize("damage", ["cut", "flip", "zero"])
def test_damage_costs_only_what_follows_it(path, at, damage):
    content = bytearray(path.read_bytes())
    position = int(at * len(content))
    if damage == "cut":
        del content[position:]
    elif damage == "flip":
        content[position] ^= 1
    else:
        content[position:] = bytes(len(content) - position)
    path.write_bytes(content)
    journal = Checkpoint(path, HEADER)
    kept = journal.entries
    assert kept == ENTRIES[: len(kept)]
    assert len(kept) < 3
    for entry in ENTRIES[len(kept) :]:
        journal.append(entry)
    assert Checkpoint(path, HEADER).entries == ENTRIES


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="make room or make the folder writable"):
        Checkpoint(tmp_path / "file" / "x.partial", HEADER).append(ENTRIES[0])


def test_nothing_is_appended_to_entries_of_something_else(path):
    first = Checkpoint(path, HEADER)
    second = Checkpoint(path, {"seed": 1})
    second.append(ENTRIES[0])
    first.append({"fold": 3})
    assert Checkpoint(path, {"seed": 1}).entries == []
    assert Checkpoint(path, HEADER).entries == [*ENTRIES, {"fold": 3}]
    path.unlink()
    second.append(ENTRIES[1])
    assert Checkpoint(path, {"seed": 1}).entries == ENTRIES[:2]
