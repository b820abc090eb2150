import re

from rntk_bench.report.page.figures import inline_svg
from rntk_bench.report.plots import figures

HOSTILE = '"><script>alert(1)</script>'


def drawn(name):
    figure, panels = figures.create(1, 1, (3.0, 2.0))
    panels[0, 0].plot([0, 1], [1, 0], color="0.5")
    panels[0, 0].set_title(HOSTILE)
    return inline_svg(figure, name, HOSTILE)


def test_two_pictures_share_no_identifier_and_refer_to_their_own():
    found = {name: drawn(name) for name in ("first", "second")}
    for name, svg in found.items():
        identifiers = set(re.findall(r'\bid="([^"]*)"', svg))
        references = set(re.findall(r'(?:href="#|url\(#)([^")]*)', svg))
        assert references
        assert references <= identifiers
        assert all(identifier.startswith(f"{name}-") for identifier in identifiers)


def test_black_white_and_grey_are_the_pages():
    svg = drawn("picture")
    assert "var(--paper) 0.0%" in svg
    assert "var(--paper) 100.0%" in svg
    assert "var(--paper) 50.2%" in svg
    assert not re.search(r"#([0-9a-f]{2})\1\1\b", svg)


def test_texts_are_texts_and_escaped():
    svg = drawn("picture")
    assert svg.startswith('<svg role="img" aria-label="&#34;&gt;&lt;script&gt;')
    assert "<script" not in svg
    assert "<text" in svg
    assert "<metadata" not in svg
