"""Settings in layers: where each value comes from, what is refused and how, and what counts as relaxed."""

import hashlib
import json

import pytest

from pipeline import catalogue, config
from pipeline.errors import MeasuringChanged, SettingsError
from pipeline.records import Relaxed, Severity


@pytest.fixture
def profile(tmp_path):
    """`profile(text)` writes a profile of one's own; its path comes back."""

    def write(text, name="mine"):
        path = tmp_path / f"{name}.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_every_key_has_a_value_and_an_origin():
    settings = config.load()
    assert set(settings.values) == set(settings.origins) == set(catalogue.declared_limits())


def test_a_set_wins_over_the_profile_and_the_profile_over_the_default(profile):
    path = profile("[loudness]\nmin_lufs = -31\nmax_lufs = -15\n")
    settings = config.load(path, ["loudness.max_lufs=-14"])
    keys = ("loudness.min_lufs", "loudness.max_lufs", "loudness.max_usable_lufs")
    assert [settings.values[key] for key in keys] == [-31.0, -14.0, -9.0]
    assert [settings.origins[key] for key in keys] == ["profile mine", "--set", "declared default"]


def test_the_last_set_of_a_key_wins():
    assert config.load(overrides=["extent.minimum_s=5", "extent.minimum_s=7"]).values["extent.minimum_s"] == 7.0


def test_limits_reach_the_subject_they_were_declared_by():
    subject = next(s for s in catalogue.verified() if s.name == "loudness")
    assert config.load(overrides=["loudness.min_lufs=-33"]).limits(subject).min_lufs == -33.0


def test_the_profile_says_whom_it_is_for():
    found = config.load().profile
    assert (found.name, found.provider, found.use) == ("cartesia-pro", "cartesia", "professional-clone")
    assert found.source is not None
    assert found.checked is not None


@pytest.mark.parametrize(
    "text",
    [
        "[loudness]\nmin_lufs = -31",
        "[limits.loudness]\nmin_lufs = -31",
        "[limits]\nloudness.min_lufs = -31",
        "limits.loudness.min_lufs = -31",
        '"loudness.min_lufs" = -31',
        "loudness = { min_lufs = -31 }",
    ],
)
def test_a_profile_may_write_a_key_in_any_way_that_toml_has(profile, text):
    assert config.load(profile(text)).values["loudness.min_lufs"] == -31.0


def test_a_limit_of_zero_is_a_limit_and_off_is_none(profile):
    assert config.load(overrides=["extent.minimum_s=0"]).values["extent.minimum_s"] == 0.0
    assert config.load(overrides=["extent.minimum_s=off"]).values["extent.minimum_s"] is None
    assert config.load(profile('[extent]\nminimum_s = "off"')).values["extent.minimum_s"] is None


def test_a_list_is_parted_at_commas():
    for word in ("wav,flac", "[wav, flac]", " wav , flac "):
        assert config.load(overrides=[f"container.formats={word}"]).values["container.formats"] == ("wav", "flac")


def test_a_severity_can_be_moved(profile):
    settings = config.load(profile('[severity]\nLONG_PAUSE = "error"'), ["severity.CLIPPED=info"])
    assert settings.severities == {"LONG_PAUSE": Severity.ERROR, "CLIPPED": Severity.INFO}
    assert settings.origins["severity.LONG_PAUSE"] == "profile mine"
    assert settings.origins["severity.CLIPPED"] == "--set"


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("loudness.min_luf=-30", "there is no key loudness.min_luf; did you mean loudness.min_lufs?"),
        ("severity.LONG_PAUS=info", "there is no key severity.LONG_PAUS; did you mean severity.LONG_PAUSE?"),
        ("loudness.min_lufs=quiet", "loudness.min_lufs is a number, or 'off' to switch it off, not 'quiet'"),
        ("loudness.min_lufs=nan", "is a number"),
        ("loudness.min_lufs=inf", "is a number"),
        ("loudness.min_lufs=", "is a number"),
        ("container.min_sample_rate_hz=16000.5", "is a whole number"),
        ("speech.engine=ears", "speech.engine is one of pyannet, webrtcvad, not 'ears'"),
        ("speech.engine=off", "speech.engine is one of"),
        ("container.formats=off", "container.formats is a list of words"),
        ("severity.LONG_PAUSE=fault", "a severity is one of info, warning, error"),
        ("severity.LONG_PAUSE=3", "a severity is one of info, warning, error"),
        ("loudness.min_lufs", "write it as KEY=VALUE"),
    ],
)
def test_a_wrong_set_is_refused_in_its_own_words(override, told):
    with pytest.raises(SettingsError) as caught:
        config.load(overrides=[override])
    assert f"--set {override}" in str(caught.value)
    assert told in str(caught.value)


@pytest.mark.parametrize("code", ["NOT_MEASURED", "UNREADABLE", "NO_AUDIO"])
def test_what_was_not_examined_cannot_be_reweighed(code, profile):
    with pytest.raises(SettingsError, match=f"the severity of {code} is fixed"):
        config.load(overrides=[f"severity.{code}=info"])
    with pytest.raises(SettingsError, match=f"the severity of {code} is fixed"):
        config.load(profile(f'[severity]\n{code} = "warning"'))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\n[loudness]\n# quiet\nmin_luf = -30\n", 4),
        ("[speech]\nlong_pause_s = 3\n\n[loudness]\nmin_lufs = 'low'\n", 5),
        ("description = 'x'\n[limits]\nloudness.min_luf = -30\n", 3),
        ("[limits.loudness]\nmax_lufs = -15\n'min_luf' = -30\n", 3),
        ("description = 'x'\nloudness = { min_luf = -30 }\n", 2),
        ('\n\n"loudness.min_luf" = -30\n', 3),
        ("[severity]\nCLIPPED = 'error'\nCLIPED = 'error'\n", 3),
        ("[speech]\nmin_lufs = 3\n[loudness]\nmin_lufs = -30\n", 2),
        ("loud = 3\n", 1),
    ],
)
def test_a_wrong_profile_is_refused_with_its_file_and_line(profile, text, line):
    path = profile(text)
    with pytest.raises(SettingsError) as caught:
        config.load(path)
    assert str(caught.value).startswith(f"{path}, line {line}: ")


@pytest.mark.parametrize("value", ["true", "'-30'", "[1]", "2026-01-01", "nan"])
def test_a_profile_value_of_the_wrong_kind_is_refused(profile, value):
    with pytest.raises(SettingsError, match=r"line 2: loudness\.min_lufs is a number"):
        config.load(profile(f"[loudness]\nmin_lufs = {value}\n"))


def test_a_profile_that_is_no_toml_is_refused_with_its_name(profile):
    path = profile("[loudness\n")
    with pytest.raises(SettingsError) as caught:
        config.load(path)
    assert path in str(caught.value)


def test_a_profile_that_does_not_exist_is_refused_with_the_known_ones():
    for name in ("nobody", "nobody.toml", "/"):
        with pytest.raises(SettingsError, match="cartesia-pro"):
            config.load(name)


def test_every_shipped_profile_loads_and_relaxes_nothing():
    names = config.shipped_profiles()
    assert config.DEFAULT_PROFILE in names
    for name in names:
        assert config.load(name).relaxed == ()


@pytest.mark.parametrize(
    ("override", "relaxed"),
    [
        ("loudness.min_lufs=-31", Relaxed("loudness.min_lufs", -30.0, -31.0)),
        ("loudness.max_lufs=-15", Relaxed("loudness.max_lufs", -16.0, -15.0)),
        ("speech.long_pause_s=2.5", Relaxed("speech.long_pause_s", 2.0, 2.5)),
        ("severity.UNSURE=warning", Relaxed("severity.UNSURE", "error", "warning")),
        ("extent.minimum_s=0", Relaxed("extent.minimum_s", 1800.0, 0.0)),
        ("extent.minimum_s=off", Relaxed("extent.minimum_s", 1800.0, None)),
        (
            "container.safe_formats=wav,m4a",
            Relaxed("container.safe_formats", ("wav", "mp3", "flac", "ogg", "oga", "webm"), ("wav", "m4a")),
        ),
        ("severity.DUPLICATE=warning", Relaxed("severity.DUPLICATE", "error", "warning")),
        ("severity.CLIPPED=warning", Relaxed("severity.CLIPPED", "error", "warning")),
        ("severity.HOT_PEAK=info", Relaxed("severity.HOT_PEAK", "warning", "info")),
        ("loudness.min_lufs=-29", None),
        ("loudness.max_lufs=-17", None),
        ("speech.long_pause_s=1", None),
        ("container.safe_formats=wav", None),
        ("container.min_clip_s=1", None),
        ("container.min_clip_s=off", None),
        ("severity.HOT_PEAK=error", None),
        ("severity.CLIPPED=error", None),
        ("speech.engine=webrtcvad", None),
    ],
)
def test_a_looser_limit_is_listed_and_a_tighter_one_is_not(override, relaxed):
    assert config.load(overrides=[override]).relaxed == (() if relaxed is None else (relaxed,))


def test_a_profile_of_ones_own_is_held_against_the_declared_defaults(profile):
    path = profile("[loudness]\nmin_lufs = -35\nmax_lufs = -18\n[severity]\nDUPLICATE = 'info'\n")
    assert config.load(path).relaxed == (
        Relaxed("loudness.min_lufs", -30.0, -35.0),
        Relaxed("severity.DUPLICATE", "error", "info"),
    )
    assert Relaxed("loudness.min_lufs", -30.0, -31.0) in config.load(path, ["loudness.min_lufs=-31"]).relaxed


def test_the_digest_does_not_depend_on_how_the_settings_were_said():
    first = config.load(overrides=["loudness.min_lufs=-31", "severity.CLIPPED=error", "severity.HOT_PEAK=error"])
    second = config.load(overrides=["severity.HOT_PEAK=error", "severity.CLIPPED=error", "loudness.min_lufs=-31.0"])
    assert first.sha256 == second.sha256
    assert config.load(overrides=["loudness.min_lufs=-30"]).sha256 == config.load().sha256


def test_the_digest_is_that_of_profile_limits_and_severities():
    settings = config.load(overrides=["severity.CLIPPED=error"])
    limits = {key: list(value) if isinstance(value, tuple) else value for key, value in settings.values.items()}
    facts = {"profile": "cartesia-pro", "limits": limits, "severities": {"CLIPPED": "error"}}
    assert settings.sha256 == hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


@pytest.mark.parametrize("key", sorted(catalogue.declared_limits()))
def test_the_digest_changes_with_every_limit(key):
    declared = catalogue.declared_limits()[key]
    other = next((choice for choice in declared.choices if choice != declared.default), None)
    if other is None:
        other = "wav" if isinstance(declared.default, tuple) else (declared.default or 0) + 1
    changed = config.load(overrides=[f"{key}={other}"])
    assert changed.sha256 != config.load().sha256
    assert (changed.measuring_sha256 != config.load().measuring_sha256) == declared.measuring


def test_the_digest_changes_with_every_severity_and_with_the_profile(profile):
    digests = {
        config.load(overrides=[f"severity.{code}=info"]).sha256
        for code in catalogue.rules()
        if code not in config.FIXED
    }
    assert len(digests) == len(set(catalogue.rules()) - set(config.FIXED))
    assert config.load(profile("")).sha256 != config.load().sha256


def test_a_key_that_changes_measuring_is_refused_to_those_who_only_judge():
    config.refuse_measuring(["loudness.min_lufs=-31"])
    with pytest.raises(MeasuringChanged, match="run check with it instead of judge"):
        config.refuse_measuring(["loudness.min_lufs=-31", "speech.engine=webrtcvad"])
