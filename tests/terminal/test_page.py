"""The page shows what the report holds and runs nothing that a file name contains."""

import re

from pipeline.stages import page


def document(**changes: object) -> dict[str, object]:
    """The smallest report document, with one rejected clip."""
    clip = {
        "id": "take.wav",
        "path": "/takes/take.wav",
        "sha256": "0" * 64,
        "bytes": 10,
        "verdict": "reject",
        "format": "wav",
        "codec": "pcm_s16le",
        "sample_rate": 48000,
        "channels": 1,
        "declared_s": 61.0,
        "decoded_s": 61.0,
        "readings": {},
        "findings": [
            {
                "code": "CLIPPED",
                "severity": "error",
                "message": "is clipped",
                "hint": "Record it again.",
                "value": 1,
                "limit": 0,
                "spans": [{"start_s": 3.0, "end_s": 4.5}],
            }
        ],
    }
    totals = {
        "clips": 1,
        "decoded_s": 61.0,
        "speech_s": 50.0,
        "approved_s": 0.0,
        "approved_speech_s": 0.0,
        "minimum_s": 1800.0,
        "target_s": 7200.0,
    }
    return {
        "verdict": "rejected",
        "profile": "cartesia-pro",
        "tool": {"name": "voxgate", "version": "1"},
        "root": "/takes",
        "totals": totals,
        "speakers": {"reference": None, "people": [{"speech_s": 61.0, "sure_ratio": None, "clips": ["take.wav"]}]},
        "not_examined": [{"subject": "speakers", "why": "not yet"}],
        "relaxed": [],
        "skipped": [],
        "left_out": [],
        "findings": [],
        "clips": [clip | changes],
    }


def test_the_page_shows_verdict_clip_finding_and_times():
    html = page.rendered(document())
    for words in ("rejected", "take.wav", "CLIPPED", "is clipped", "0:03.0–0:04.5", "1:01", "speakers"):
        assert words in html


def test_one_voice_needs_no_table_and_two_have_one_with_how_sure_it_is():
    one, two = document(), document()
    two["speakers"]["people"].append({"speech_s": 12.0, "sure_ratio": 0.934, "clips": ["<b>talk.wav", "other.wav"]})
    assert "<h2>Voices</h2>" not in page.rendered(one)
    html = page.rendered(two)
    for words in ("<h2>Voices</h2>", "the most frequent", "93 % sure", "&lt;b&gt;talk.wav, other.wav", "12.0 s"):
        assert words in html


def test_a_page_without_a_minimum_has_no_mark():
    held = document()
    assert "The mark is the minimum of 30:00; 2:00:00 are advised." in page.rendered(held)
    held["totals"] |= {"target_s": None}
    assert "The mark is the minimum of 30:00." in page.rendered(held)
    held["totals"] |= {"minimum_s": None}
    assert "The mark is" not in page.rendered(held)


def test_a_file_name_is_shown_and_never_run():
    html = page.rendered(document(id="<script>alert(1)</script>.wav"))
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_the_page_loads_nothing_from_anywhere():
    html = page.rendered(document())
    assert not re.search(r"""(src|href)=["']?(https?:|//)""", html)
    assert "default-src 'none'" in html


def test_a_name_that_is_no_text_still_makes_a_page_in_utf8():
    html = page.rendered(document(id="bad\udcff.wav"))
    assert "bad\\udcff.wav" in html
    html.encode("utf-8")


def test_a_clip_that_could_not_be_decoded_has_a_dash_for_its_length():
    assert ">–<" in page.rendered(document(decoded_s=None, format=None, codec=None, sample_rate=None))
