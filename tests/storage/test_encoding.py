import pytest

from rntk_bench.storage import encoding as plain


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("ascii", b"- + +- ? ?"),
        ("latin-1", b"- + \xb1 \xe9 ?"),
        ("cp1252", b"\x96 \x86 \xb1 \xe9 ?"),
        ("utf-8", "– † ± é 中".encode()),
    ],
)
def test_what_an_encoding_lacks_is_a_plain_mark(encoding, expected):
    assert "– † ± é 中".encode(encoding, plain.REPLACE) == expected


def test_a_name_that_is_no_text_can_be_written():
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    assert plain.encode(name) == b"caf?"


def test_decoding_is_not_what_it_is_for():
    with pytest.raises(UnicodeDecodeError):
        b"\xff".decode("utf-8", plain.REPLACE)
