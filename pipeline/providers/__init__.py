"""Whom files are handed to, a module each with `provider(facts, environ, patience)`, and what is known of them.

The facts stand in `configs/providers/NAME.toml`, with their source and the day that was read.
"""

import importlib
import pkgutil
import tomllib
from collections.abc import Mapping

from pipeline.config import configs_dir
from pipeline.errors import RecordError, SettingsError, UsageError
from pipeline.patience import Patience
from pipeline.remote import Facts, Provider
from pipeline.storage import codec


def names() -> list[str]:
    """The providers that there are, a module each."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def facts(name: str) -> Facts:
    """What is known of a provider. Raises UsageError for an unknown name, SettingsError for a facts file that does not read."""
    if name not in names():
        raise UsageError(f"--to {name}: there is no such provider; there are {', '.join(names())}")
    path = configs_dir() / "providers" / f"{name}.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        return codec.restored(Facts, {**document, "checked": str(document["checked"])})
    except (OSError, ValueError, KeyError, RecordError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error


def provider(name: str, environ: Mapping[str, str], patience: Patience) -> Provider:
    """A provider, ready to be spoken to; nothing is sent yet. Raises UsageError where its key is missing."""
    known = facts(name)
    made: Provider = importlib.import_module(f"pipeline.providers.{name}").provider(known, environ, patience)
    return made
