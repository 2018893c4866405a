"""How lengths, times and names are put for people, in the terminal and on the page alike."""


def clock(seconds: float | None) -> str:
    """Seconds as people read them: 3.4 s, 12:05, 1:02:05; a dash for what is not known."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def moment(seconds: float) -> str:
    """A place in a clip, to a tenth of a second: 0:03.4, 1:02:05.0."""
    tenths = round(seconds * 10)
    hours, rest = divmod(tenths, 36_000)
    minutes, rest = divmod(rest, 600)
    start = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{start}:{rest // 10:02d}.{rest % 10}"


def minutes(seconds: float) -> str:
    """Minutes for a sentence: one decimal under ten, none above."""
    return f"{seconds / 60:.1f}" if seconds < 600 else f"{seconds / 60:.0f}"


def printable(name: str) -> str:
    """A name that any terminal and browser can show: control characters and bytes that are no text are spelled out."""
    if name.isprintable():  # lone surrogates are not
        return name
    text = name.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def count(number: int, noun: str) -> str:
    """A number and its noun in the right form: 1 file, 3 files."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
