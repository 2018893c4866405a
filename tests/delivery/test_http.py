"""The HTTP client: where a key may go, what is asked again, and what a person is told."""

import json
import pickle

import pytest

from pipeline.errors import Declined, InDoubt, ProviderError, UsageError
from pipeline.http import Api, Secret, message, origin
from pipeline.http import _retry_after_s as retry_after_s
from pipeline.patience import Patience

KEY = "sk_car_test_0123456789abcdef"
PATIENCE = Patience(tries=3, pause_s=0.01, settle_s=0.1, connect_s=1.0, answer_s=0.5)


@pytest.fixture
def api(double):
    made = Api(double.url, Secret(KEY), {"Cartesia-Version": "2026-03-01"}, PATIENCE)
    yield made
    made.close()


@pytest.mark.parametrize(
    "url",
    [
        "https://api.cartesia.ai",
        "https://proxy.example/cartesia/",
        "http://127.0.0.1:8765",
        "http://[::1]:1",
        "http://localhost",
    ],
)
def test_a_key_may_go_over_https_or_stay_on_this_machine(url):
    assert origin(url, "CARTESIA_BASE_URL") == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://api.cartesia.ai",
        "http://127.0.0.1.example.org",
        "http://localhost.example.org",
        "http://10.0.0.1",
        "ftp://127.0.0.1",
        "https://user:secret@api.cartesia.ai",
        "https://",
        "api.cartesia.ai",
        "https://api.cartesia.ai?x=1",
        "https://api.cartesia.ai:port",
        "https://user:secret@api.cartesia.ai:bad",
        "http://user:secret@[::1",
        "user:secret@api.cartesia.ai",
        "sk_car_secret",
        "https://api.cartesia.ai?key=sk_car_secret",
        "https://api.car\ttesia.ai",
        "http://[::1",
        "",
    ],
)
def test_a_key_may_go_nowhere_else(url):
    with pytest.raises(UsageError, match="CARTESIA_BASE_URL") as caught:
        origin(url, "CARTESIA_BASE_URL")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("value", ["", "   ", "sk car", "sk_car_\n\nX: y", "sk_car_é", "sk\x00"])
def test_what_is_no_key_is_refused_without_showing_it(value):
    with pytest.raises(UsageError, match="CARTESIA_API_KEY") as caught:
        Secret.given("CARTESIA_API_KEY", {"CARTESIA_API_KEY": value})
    assert not value.strip() or value not in str(caught.value)


def test_a_key_does_not_show_itself():
    secret = Secret(KEY)
    assert KEY not in repr(secret)
    assert KEY not in f"{secret}"
    assert secret.masked(f"no {KEY} here") == "no *** here"


def test_a_server_that_tells_the_key_back_is_not_quoted(double):
    wrong = Api(double.url, Secret("wrong_key_0123"), {"Cartesia-Version": "2026-03-01"}, PATIENCE)
    with pytest.raises(Declined, match=r"API key \*\*\* is not valid") as caught:
        wrong.ask("/datasets/")
    wrong.close()
    assert caught.value.status == 401


def test_a_key_at_the_end_of_what_is_quoted_is_masked_before_it_is_cut(double, api, monkeypatch):
    monkeypatch.setattr(double.RequestHandlerClass, "list_datasets", lambda self: self._error(_told_of(self)))
    with pytest.raises(Declined) as caught:
        api.ask("/datasets/")
    assert "sk_car" not in str(caught.value)


def _told_of(handler):
    from sandbox.server import Answered

    return Answered(400, "x" * 285, handler.headers["Authorization"])


def test_a_key_that_is_spelled_otherwise_is_masked_too(double, api, monkeypatch):
    body = (
        json.dumps({"message": "not this: " + "".join(f"\\u{ord(c):04x}" for c in KEY)}).replace("\\\\", "\\").encode()
    )

    def told(self):
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    monkeypatch.setattr(double.RequestHandlerClass, "list_datasets", told)
    with pytest.raises(Declined, match=r"not this: \*\*\*") as caught:
        api.ask("/datasets/")
    assert KEY not in str(caught.value)


def _redirected(location):
    def away(self):
        self.send_response(301)
        self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    return away


def test_a_key_in_a_redirect_is_masked(double, api, monkeypatch):
    monkeypatch.setattr(double.RequestHandlerClass, "list_datasets", _redirected(f"http://127.0.0.1:1/?key={KEY}"))
    with pytest.raises(Declined, match=r"redirected \(301\)") as caught:
        api.ask("/datasets/")
    assert KEY not in str(caught.value)


def test_a_redirect_to_no_address_is_told(double, api, monkeypatch):
    monkeypatch.setattr(double.RequestHandlerClass, "list_datasets", _redirected("https://xn--.com/"))
    with pytest.raises(ProviderError, match=r"no address|Malformed"):
        api.ask("/datasets/")


def test_what_stays_on_this_machine_goes_through_no_proxy(double, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    made = Api(double.url, Secret(KEY), {"Cartesia-Version": "2026-03-01"}, PATIENCE)
    assert made.ask("/datasets/")["data"] == []
    made.close()


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "ftp://127.0.0.1:1"])
def test_a_proxy_that_cannot_be_used_is_told(monkeypatch, proxy):
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(UsageError, match="proxy"):
        Api("https://api.cartesia.ai", Secret(KEY), {}, PATIENCE)


@pytest.mark.parametrize("fault", ["status before", "reset before", "cut json", "slow reply", "redirect again"])
def test_what_only_reads_is_asked_again(double, api, fault):
    double.faults.plan("list", fault)
    assert api.ask("/datasets/")["data"] == []


def test_patience_ends(double, api):
    double.faults.plan("list", *["status before"] * 3)
    with pytest.raises(ProviderError, match="tried 3 times"):
        api.ask("/datasets/")
    assert len(double.requests) == 3


@pytest.mark.parametrize("fault", ["status before", "status after", "reset before", "reply lost", "slow reply"])
def test_what_changes_something_is_sent_once(double, api, fault):
    double.faults.slow_s = 1.0
    double.faults.plan("change", fault)
    with pytest.raises(InDoubt):
        api.tell("POST", "/datasets/", {"name": "n", "description": "d"})
    assert double.requests == ["POST /datasets/"]


def test_a_no_is_a_no(api, double):
    with pytest.raises(Declined, match=r"422: Unprocessable: name is required \(request "):
        api.tell("POST", "/datasets/", {})
    assert len(double.requests) == 1


def test_nobody_there_is_told_without_a_traceback_s_worth_of_words():
    api = Api("http://127.0.0.1:1", Secret(KEY), {}, PATIENCE)
    with pytest.raises(ProviderError, match=r"127\.0\.0\.1 cannot be reached: .*refused"):
        api.ask("/")
    api.close()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"title": "Too many", "message": "Slow down.", "error_code": "limited", "request_id": "r1"}', "Too many: Slow down. [limited] (request r1)"),
        (b'{"message": "no credits", "status": 402}', "no credits"),
        (b'{"detail": [{"loc": ["body"], "msg": "field required"}]}', "[{'loc': ['body'], 'msg': 'field required'}]"),
        (b"Bad request: language is not supported", "Bad request: language is not supported"),
        (b"<html><head><title>502 Bad\n Gateway</title></head><body>nginx</body></html>", "502 Bad Gateway"),
        (b"<p>no <b>title</b></p>", "no title"),
        (b"", "Bad Gateway"),
        (b"[1, 2]", "[1, 2]"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"x" * 5000, "x" * 300),
    ],
)  # fmt: skip
def test_every_error_body_becomes_one_line(body, told):
    assert message(502, body.decode("utf-8", "replace")) == told


def test_the_request_s_id_is_taken_from_a_header_too():
    assert message(502, "oops", "r2") == "oops (request r2)"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("2", 2.0), ("1.5", 1.5), ("0", 0.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("soon", None), ("-3", None), (None, None), ("9" * 12, None)],
)  # fmt: skip
def test_retry_after_is_a_number_or_a_date(value, seconds):
    assert retry_after_s(value) == seconds


def test_who_wants_to_be_left_in_peace_too_long_is_told_about():
    with pytest.raises(ProviderError, match="in 60 minutes"):
        Patience().pause(0, 3600.0)


def test_errors_survive_pickling():
    for error in (Declined("no", 413), InDoubt("who knows", 2.5), InDoubt("who knows", None)):
        again = pickle.loads(pickle.dumps(error))
        assert (str(again), again.args) == (str(error), error.args)
