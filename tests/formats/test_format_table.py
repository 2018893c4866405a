"""The table of formats keeps its promises, row by row, and is the only place that knows a format by name."""

import ast
import io
from pathlib import Path

import pytest

from pipeline import formats
from pipeline.checks.container import ContainerLimits
from pipeline.stages import decode

CHECKOUT = Path(__file__).resolve().parents[2]
SAMPLES = CHECKOUT / "sample_data" / "formats"
ROWS = {row.name: row for row in formats.FORMATS}


@pytest.fixture(params=ROWS)
def row(request):
    return ROWS[request.param]


@pytest.fixture
def sample(row):
    if not SAMPLES.is_dir():
        pytest.skip("sample_data/formats is not here; sample_data/make.py writes it")
    return SAMPLES / f"passage{row.extension}"


def test_there_are_twelve_formats_and_their_extensions_are_their_names():
    assert len(ROWS) == 12
    assert all(row.extension == f".{name}" for name, row in ROWS.items())


def test_every_row_has_a_sample_that_is_sniffed_as_its_container(row, sample):
    with sample.open("rb") as file:
        assert formats.sniff(file) in row.containers


def test_every_sample_decodes_whole_under_its_own_name(row, sample):
    with decode.Stream(str(sample)) as stream:
        frames = sum(len(block.samples) for block in stream.blocks())
        container = stream.container()
    assert container.format == row.name
    assert container.extension in container.extensions
    assert frames > 5 * container.sample_rate
    assert (container.cut, container.errors) == (None, 0)
    assert row.codecs is None or container.codec in row.codecs


def test_a_sample_is_recognised_under_a_foreign_name_too(row, sample, tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(sample.read_bytes())
    with decode.Stream(str(path)) as stream:
        codec = stream.info.codec
        assert row.extension in stream.container().extensions
    with sample.open("rb") as file:
        assert formats.named(formats.sniff(file), codec, ".txt") in ROWS


def test_every_container_can_be_sniffed_and_its_demuxer_is_whitelisted():
    import av

    kinds = {kind for row in formats.FORMATS for kind in row.containers} | {kind for kind, _ in formats.OTHERS}
    assert {kind.demuxer for kind in kinds} == set(formats.demuxers())
    assert {kind.demuxer for kind in kinds} <= {name for known in av.formats_available for name in known.split(",")}
    for kind in kinds:
        assert formats.opened_by(f"x,{kind.demuxer}").demuxer == kind.demuxer


def test_no_demuxer_of_the_table_reads_playlists():
    assert not set(formats.demuxers()) & {
        "hls",
        "concat",
        "dash",
        "sdp",
        "imf",
        "webm_dash_manifest",
        "image2",
        "lavfi",
    }


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"R",
        b"RIFF",
        b"RIFF\0\0\0\0WAVE"[:11],
        b"ID3",
        b"ID3\4\0\0\x7f\x7f\x7f\x7f",
        b"\x1aE\xdf\xa3",
        b"fLa",
        bytes(5000),
    ],
)
def test_sniffing_needs_no_minimum_length(content):
    assert formats.sniff(io.BytesIO(content)) is None or content[:3] in (b"ID3", b"\x1aE\xdf")


def test_the_limits_name_only_formats_of_the_table():
    limits = ContainerLimits()
    assert set(limits.safe_formats) <= set(limits.formats) <= set(ROWS)


def test_every_extension_belongs_to_one_row_or_to_one_other_container():
    names = [row.extension for row in formats.FORMATS] + [name for _, others in formats.OTHERS for name in others]
    assert len(formats.EXTENSIONS) == len(set(names))
    assert {row.extension for row in formats.FORMATS}.isdisjoint(
        name for _, others in formats.OTHERS for name in others
    )


KNOW_FORMATS = {"formats.py", "checks/container.py"}
"""The table itself, and the limits of bit rate by codec and of what a provider takes."""


def compared_strings(tree):
    """String constants that code branches on: in comparisons, `match` cases and keys of dictionaries."""
    for node in ast.walk(tree):
        parts = []
        if isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            parts = [node.value]
        elif isinstance(node, ast.Dict):
            parts = [key for key in node.keys if key is not None]
        for part in parts:
            for inner in ast.walk(part):
                if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                    yield inner.value, node.lineno


def test_no_code_outside_the_table_branches_on_a_format():
    package = CHECKOUT / "pipeline"
    words = set(ROWS) | {row.extension for row in formats.FORMATS}
    found = []
    for path in sorted(package.rglob("*.py")):
        inside = path.relative_to(package).as_posix()
        if inside in KNOW_FORMATS or inside.startswith("containers/"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found += [f"{inside}:{line}: {value!r}" for value, line in compared_strings(tree) if value in words]
    assert found == []


def test_the_search_for_branches_sees_them():
    tree = ast.parse("if kind == 'mp3': pass\nrates = {'flac': 1}\nif suffix in ('.wav', '.ogg'): pass\n")
    assert {value for value, _ in compared_strings(tree)} == {"mp3", "flac", ".wav", ".ogg"}
