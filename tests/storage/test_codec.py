"""Records survive as JSON to the last digit; for people numbers are rounded by their units."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import RecordError
from pipeline.readings import BY_SUBJECT, Levels, Speech
from pipeline.records import Severity, Source, Span, StreamInfo, Verdict
from pipeline.storage import codec


def there_and_back(record):
    return codec.restored(type(record), json.loads(codec.text(codec.plain(record))))


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.tuples(st.floats(0, 1e5), st.floats(0, 1e5)), max_size=3),
    st.text(st.characters(), max_size=9),
)
def test_a_reading_comes_back_as_it_went(number, spans, why):
    reading = Levels(peak_dbfs=number, clipped_runs=3, clipped_spans=tuple(Span(a, b) for a, b in spans), why=why)
    assert there_and_back(reading) == reading


@given(st.binary(max_size=40))
def test_a_name_of_any_bytes_comes_back_as_it_went(name):
    source = Source(name.decode("utf-8", "surrogateescape"), "/x", 1)
    assert there_and_back(source).id.encode("utf-8", "surrogateescape") == name


@pytest.mark.parametrize("kind", BY_SUBJECT.values())
def test_every_reading_has_a_plain_form(kind):
    assert there_and_back(kind()) == kind()


def test_a_whole_number_where_a_float_belongs_is_a_float():
    restored = codec.restored(Speech, {"speech_s": 3})
    assert isinstance(restored.speech_s, float)


def test_unknown_keys_are_passed_over_and_missing_ones_take_their_defaults():
    assert codec.restored(Speech, {"speech_s": 1.5, "mood": "glad"}) == Speech(speech_s=1.5)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Speech, []),
        (Speech, None),
        (Speech, "speech"),
        (Speech, {"speech_s": "long"}),
        (Speech, {"speech_s": True}),
        (Speech, {"speech_s": math.nan}),
        (Speech, {"speech_s": math.inf}),
        (Speech, {"speech_s": 10**400}),
        (Speech, {"pauses": "none"}),
        (Speech, {"pauses": [{"start_s": 1.0}]}),
        (Speech, {"pauses": [3]}),
        (Speech, {"unlisted_pauses": 1.5}),
        (Speech, {"unlisted_pauses": True}),
        (StreamInfo, {"format": "wav"}),
        (Source, {"id": 1, "path": "x", "bytes": 1}),
    ],
)
def test_what_is_no_record_of_ours_is_refused(kind, value):
    with pytest.raises(RecordError, match=f"this is no {kind.__name__} of ours"):
        codec.restored(kind, value)


def test_a_number_of_numpy_s_is_rounded_as_the_one_that_comes_back_from_the_journal():
    number = 8.20625
    assert round(np.float64(number), 4) != round(number, 4), "or this tells nothing"
    assert codec.rounded(np.float64(number), "pitch") == codec.rounded(number, "pitch")


def test_numbers_are_rounded_by_the_unit_in_their_name():
    number = 12.3456789
    rounded = codec.rounded(
        {
            "decoded_s": number,
            "snr_db": number,
            "integrated_lufs": number,
            "range_lu": number,
            "peak_dbfs": number,
            "true_peak_dbtp": number,
            "bandwidth_hz": number,
            "dc_offset_ratio": number,
            "kbps": number,
            "correlation": number,
            "spans": [{"start_s": number, "end_s": number}],
            "count": 3,
            "word": "12.3456789",
        }
    )
    assert rounded == {
        "decoded_s": 12.346,
        "snr_db": 12.35,
        "integrated_lufs": 12.35,
        "range_lu": 12.35,
        "peak_dbfs": 12.35,
        "true_peak_dbtp": 12.35,
        "bandwidth_hz": 12.3,
        "dc_offset_ratio": 12.345679,
        "kbps": 12.3,
        "correlation": 12.3457,
        "spans": [{"start_s": 12.346, "end_s": 12.346}],
        "count": 3,
        "word": "12.3456789",
    }


def test_a_limit_that_was_relaxed_is_told_as_it_was_set():
    assert codec.rounded({"default": 0.0000125, "used": 1.23456789}) == {"default": 0.0000125, "used": 1.23456789}


def test_nothing_is_ever_minus_zero():
    assert math.copysign(1, codec.rounded({"start_s": -0.0001})["start_s"]) == 1


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_never_written(number):
    with pytest.raises(ValueError, match="JSON"):
        codec.text({"value": number})
    with pytest.raises(ValueError, match="JSON"):
        codec.canonical({"value": number})


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, np.float64("nan"), np.float32(1), np.int64(1), np.bool_(True), b"x"]
)
@pytest.mark.parametrize("wrap", [lambda value: Span(0.0, value), lambda value: Speech(pauses=(Span(value, 1.0),))])
def test_what_text_would_refuse_is_refused_wherever_it_stands(value, wrap):
    with pytest.raises((TypeError, ValueError)):
        codec.refuse_unsound(wrap(value))
    with pytest.raises((TypeError, ValueError)):
        codec.text(codec.plain(wrap(value)))


@pytest.mark.parametrize("value", [0.5, np.float64(0.5), 3, True, None, "text", Severity.ERROR, Verdict.ACCEPT])
def test_what_text_would_write_is_let_pass(value):
    codec.refuse_unsound(Span(0.0, value))
    assert codec.text(codec.plain(Span(0.0, value)))


def test_text_is_ascii_and_the_canonical_spelling_ignores_order():
    assert codec.text({"ü": "日"}).isascii()
    assert codec.canonical({"b": 1, "a": [2]}) == b'{"a":[2],"b":1}' == codec.canonical({"a": [2], "b": 1})
