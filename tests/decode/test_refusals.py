"""Files that are no recording, and names that are no name, are refused in words or read all the same."""

import os
import socket
import threading
from pathlib import Path

import pytest

from pipeline.errors import DecodeError
from pipeline.stages import decode


def refusal(path):
    with pytest.raises(DecodeError) as raised:
        decode.Stream(str(path))
    return raised.value


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a", "a.m4a"])
def test_an_empty_file_holds_no_audio(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    assert refusal(tmp_path / name).kind == "no_audio"


@pytest.mark.parametrize(
    "content",
    [
        b"a",
        b"Dear Sir,\nplease find the recording attached.\n" * 100,
        bytes(100_000),
        b"\x89PNG\r\n\x1a\n" + bytes(5000),
        b"PK\3\4" + bytes(999),
    ],
    ids=["one byte", "text", "zeros", "a picture", "an archive"],
)
@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.ogg"])
def test_what_is_no_audio_is_refused_whatever_it_is_called(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    error = refusal(tmp_path / name)
    assert error.kind == "unreadable"
    assert "audio" in error.why


@pytest.fixture
def listener():
    """A server on this machine that notes whether anyone came."""
    visits = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)

        def wait():
            while not visits:
                try:
                    visits.append(server.accept()[1])
                except TimeoutError:
                    if done.is_set():
                        return

        done = threading.Event()
        thread = threading.Thread(target=wait)
        thread.start()
        yield server.getsockname()[1], visits
        done.set()
        thread.join()


@pytest.mark.parametrize("name", ["a.mp3", "a.wav", "a.m3u8", "a.aac", "a.ogg"])
def test_a_playlist_in_disguise_opens_neither_the_network_nor_another_file(tmp_path, encode, signal, listener, name):
    port, visits = listener
    (tmp_path / "secret.mp3").write_bytes(encode("mp3", "libmp3lame", signal(1.0), 48_000))
    secret = tmp_path / "secret.mp3"
    playlists = [
        f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:{port}/a.mp3\n#EXT-X-ENDLIST\n",
        f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:{secret}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile {secret}\n",
        f"ffconcat version 1.0\nfile http://127.0.0.1:{port}/a.mp3\n",
        f"[playlist]\nFile1=http://127.0.0.1:{port}/a.mp3\nNumberOfEntries=1\n",
        f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>http://127.0.0.1:{port}/</BaseURL></MPD>',
        f"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio {port} RTP/AVP 0\n",
    ]
    for text in playlists:
        (tmp_path / name).write_text(text)
        assert refusal(tmp_path / name).kind == "unreadable"
    assert visits == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_refused_at_once_and_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "a.wav")
    assert "pipe" in refusal(tmp_path / "a.wav").why


def test_a_folder_named_like_a_recording_is_refused(tmp_path):
    (tmp_path / "a.wav").mkdir()
    assert "folder" in refusal(tmp_path / "a.wav").why


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there are no devices here")
def test_a_link_to_a_device_that_never_ends_is_refused(tmp_path):
    (tmp_path / "a.wav").symlink_to("/dev/zero")
    assert "device" in refusal(tmp_path / "a.wav").why


def test_a_missing_file_and_a_link_to_nowhere_are_refused(tmp_path):
    (tmp_path / "b.wav").symlink_to(tmp_path / "nowhere.wav")
    for name in ("a.wav", "b.wav"):
        assert refusal(tmp_path / name).kind == "unreadable"


def test_a_link_to_a_recording_is_that_recording(tmp_path, encode, signal, read):
    (tmp_path / "a.wav").write_bytes(encode("wav", "pcm_s16le", signal(1.0), 48_000))
    (tmp_path / "link.wav").symlink_to("a.wav")
    assert read(tmp_path / "link.wav")[1].frames == 48_000


@pytest.mark.skipif(os.name != "posix", reason="such names are possible on POSIX systems only")
@pytest.mark.parametrize(
    "name",
    [
        b"-i.wav",
        b"http:x.wav",
        b"concat:a|b.wav",
        b"a\nb.wav",
        b"a%d.wav",
        b"\xff\xfe.wav",
        b"*.wav",
        b" .wav",
        b"x" * 251 + b".wav",
        b"file:a.wav",
        b"\xe2\x98\x83.wav",
    ],
)
def test_a_recording_may_have_any_name_that_a_file_can_have(tmp_path, encode, signal, monkeypatch, name):
    data = encode("wav", "pcm_s16le", signal(0.5), 48_000)
    path = tmp_path / os.fsdecode(name)
    try:
        path.write_bytes(data)
    except OSError:
        pytest.skip("this file system does not take that name")
    monkeypatch.chdir(tmp_path)
    for given in (str(path), os.fsdecode(name)):
        with decode.Stream(given) as stream:
            assert sum(len(block.samples) for block in stream.blocks()) == 24_000


def test_a_path_with_a_zero_byte_and_one_that_is_too_long_are_refused(tmp_path):
    for name in ("a\0b.wav", "x" * 5000 + ".wav"):
        assert refusal(tmp_path / name).kind == "unreadable"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is unreadable to this user")
def test_a_file_that_may_not_be_read_is_refused_with_the_systems_reason(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    (tmp_path / "a.wav").chmod(0)
    assert "Permission" in refusal(tmp_path / "a.wav").why


def test_an_encrypted_m4a_and_a_wma_with_drm_are_named_as_such(tmp_path, encode, signal):
    m4a = encode("ipod", "aac", signal(1.0), 48_000)
    (tmp_path / "a.m4a").write_bytes(m4a.replace(b"mp4a", b"drms", 1))
    assert "FairPlay" in refusal(tmp_path / "a.m4a").why
    wma = encode("asf", "wmav2", signal(1.0, 44_100), 44_100, kbps=64)
    protected = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e") + (24).to_bytes(8, "little")
    header_bytes = int.from_bytes(wma[16:24], "little") + len(protected)
    objects = int.from_bytes(wma[24:28], "little") + 1
    head = wma[:16] + header_bytes.to_bytes(8, "little") + objects.to_bytes(4, "little") + wma[28:30]
    (tmp_path / "a.wma").write_bytes(head + protected + wma[30:])
    assert "DRM" in refusal(tmp_path / "a.wma").why


@pytest.mark.parametrize(("offset", "value", "width"), [(22, 0xFFFF, 2), (24, 0xFFFFFFFF, 4), (24, 0, 4), (22, 0, 2)])
def test_a_header_with_impossible_channels_or_rate_is_refused(tmp_path, encode, signal, offset, value, width):
    data = bytearray(encode("wav", "pcm_s16le", signal(1.0), 48_000))
    data[offset : offset + width] = value.to_bytes(width, "little")
    (tmp_path / "a.wav").write_bytes(data)
    assert refusal(tmp_path / "a.wav").kind in ("unreadable", "no_audio")


def test_a_webm_of_pictures_alone_holds_no_audio(samples_folder):
    film = samples_folder.parent / "flawed" / "no-audio-video-only.webm"
    if not film.exists():
        pytest.skip("sample_data/flawed is not here; sample_data/make.py writes it")
    error = refusal(film)
    assert (error.kind, error.why) == ("no_audio", "it holds only video")


@pytest.mark.parametrize(
    ("container", "codec", "name", "format_name"),
    [
        ("aiff", "pcm_s16be", "a.aiff", "aiff"),
        ("caf", "alac", "a.caf", "caf"),
        ("au", "pcm_s16be", "a.au", "au"),
        ("mp2", "mp2", "a.mp2", "mp2"),
        ("matroska", "libopus", "a.mka", "matroska"),
        ("mp4", "libmp3lame", "a.mp4", "mp4"),
    ],
)
def test_audio_outside_the_twelve_is_decoded_named_and_unsupported(
    encode, signal, read, findings, container, codec, name, format_name
):
    _, reading = read(encode(container, codec, signal(1.0), 48_000), name)
    assert reading.format == format_name
    assert reading.decoded_s == pytest.approx(1.0, abs=0.1)
    assert "UNSUPPORTED_FORMAT" in findings(reading)


@pytest.mark.parametrize(
    ("name", "sound", "picture", "fits"),
    [("a.mp4", "aac", "mpeg4", (".mp4", ".mov", ".3gp")), ("a.wmv", "wmav2", "wmv2", (".wmv", ".asf"))],
)
def test_a_film_with_sound_is_no_recording_and_its_own_name_is_right(
    by_program, signal, read, findings, name, sound, picture, fits
):
    film = ("-f", "lavfi", "-i", "testsrc=size=64x64:rate=5:duration=1")
    data = by_program(signal(1.0), 48_000, name, "-c:a", sound, "-c:v", picture, inputs=film)
    _, reading = read(data, name)
    assert (reading.format, reading.extensions) == (name[2:], fits)
    assert "UNSUPPORTED_FORMAT" in findings(reading)
    assert "EXTENSION_MISMATCH" not in findings(reading)
    _, as_audio = read(data, f"a{'.m4a' if sound == 'aac' else '.wma'}")
    assert "EXTENSION_MISMATCH" in findings(as_audio)
