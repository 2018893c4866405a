"""What can go wrong with us, as one tree; what is wrong with the audio is a finding, never an exception.

    VoxgateError                    root of everything that voxgate raises on purpose
    ├── UsageError                  the command line or a path in it is wrong            exit 2
    │   └── NothingToCheck          the inputs hold no audio at all                      exit 2
    ├── Refused                     the gate says no: what was asked for was not approved   exit 1
    │   └── ApprovedChanged         a file is no longer what was approved, found while it was sent   exit 1
    ├── SettingsError               a profile or a --set is wrong                        exit 2
    │   └── MeasuringChanged        judge was asked to change how things are measured    exit 2
    ├── RecordError                 a journal, report or manifest of ours cannot be read exit 2
    ├── OutputError                 a result cannot be written                           exit 3
    ├── ProviderError               the provider or the network failed; run again        exit 4
    │   ├── Declined                it said no, and saying it again changes nothing
    │   └── InDoubt                 it may or may not have happened; look before trying again
    ├── NotExamined                 we failed at a file that the rest hangs on, as --reference    exit 3
    ├── DecodeError                 a clip has no usable audio; becomes UNREADABLE or NO_AUDIO
    ├── ModelError                  a neural model cannot be used; becomes NOT_MEASURED
    │   ├── ModelMissing            its weights are not installed
    │   └── ModelChanged            its weights are not the ones that were tested
    └── SourceChanged               a file changed while it was read; becomes NOT_MEASURED

Every message says what to do next. Arguments are positional and kept in `args`, so that each error survives pickling
on its way out of a worker.
"""


class VoxgateError(Exception):
    """Root of the tree: catching it catches what voxgate raises on purpose and no bug of ours."""


class UsageError(VoxgateError):
    """The command line asks for something that cannot be done as written."""


class NothingToCheck(UsageError):
    """No input led to a single clip; nothing examined is not nothing wrong."""


class Refused(VoxgateError):
    """Something was to be handed on that no manifest approves."""


class ApprovedChanged(Refused):
    """What was being sent stopped being the approved bytes; the request was broken off before the provider could keep it."""


class SettingsError(VoxgateError):
    """A profile file or a --set names an unknown key or gives it a value of the wrong kind."""


class MeasuringChanged(SettingsError):
    """A key that changes measuring was given to a command that does not decode."""


class RecordError(VoxgateError):
    """A file that voxgate wrote earlier is missing, damaged or of another version."""


class OutputError(VoxgateError):
    """A result could not be written: disk full, folder missing or read-only."""


class ProviderError(VoxgateError):
    """A provider could not be reached, or answered what cannot be worked with; the first of its args is the message."""

    def __str__(self) -> str:
        return str(self.args[0])


class Declined(ProviderError):
    """The provider said no: args are the message and the HTTP status."""

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        return int(self.args[1])


class InDoubt(ProviderError):
    """No usable answer came: args are the message and after how many seconds the provider wants to be asked again, or None."""

    @property
    def retry_after_s(self) -> float | None:
        """What the provider asked for; `None` where it did not."""
        return None if len(self.args) < 2 or self.args[1] is None else float(self.args[1])


class NotExamined(VoxgateError):
    """A recording that everything else is held against could not be examined, through no fault of its own."""


class DecodeError(VoxgateError):
    """No sample could be had from a clip: args are the kind ("unreadable" or "no_audio") and the reason in words."""

    @property
    def kind(self) -> str:
        """Either "unreadable" or "no_audio"."""
        return str(self.args[0])

    @property
    def why(self) -> str:
        """The reason, as a clause that can follow the file's name."""
        return str(self.args[1])


class ModelError(VoxgateError):
    """A neural model cannot be used on this machine."""


class ModelMissing(ModelError):
    """The weights are not installed; the message holds the command that installs them."""


class ModelChanged(ModelError):
    """The weights' sha256 is not the pinned one, so nothing is known about what they answer."""


class SourceChanged(VoxgateError):
    """A file's size, time or bytes changed between hashing and the end of decoding."""
