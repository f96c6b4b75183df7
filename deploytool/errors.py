"""Every error the operator can meet, in one place: code, message, hint and exit code.

Exit codes (docs/DESIGN, principle 9): 0 done · 1 internal error · 2 usage or settings · 3 partly done ·
4 gate failed, rolled back · 5 rollback failed, a person is needed · 6 engine unreachable ·
7 not supported by this engine · 8 locked · 130 interrupted.

The message says what and where; `hint` says what to do, ready to paste; `details` are lines of evidence
(a container's last log lines, a build step's output). None of them may hold a secret value.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """The process's exit status; each stands in `chatbot --help`."""

    DONE = 0
    INTERNAL = 1
    USAGE = 2
    PARTLY = 3
    ROLLED_BACK = 4
    ROLLBACK_FAILED = 5
    UNREACHABLE = 6
    UNSUPPORTED = 7
    LOCKED = 8
    INTERRUPTED = 130


class ChatbotError(Exception):
    """An error with words for the operator; the command line prints it and exits with `exit_code`."""

    code: ClassVar[str] = "internal"
    exit_code: ExitCode = ExitCode.INTERNAL

    def __init__(self, message: str, *, hint: str = "", where: str = "", details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where
        self.details = tuple(details)


# --- usage and settings (exit 2) ---------------------------------------------------------------------------


class UsageError(ChatbotError):
    """The command line asks for something that cannot be."""

    code = "usage"
    exit_code = ExitCode.USAGE


class SettingsError(ChatbotError):
    """A settings file or a CHATBOT__ variable is wrong; `where` is file:line or the variable's name."""

    code = "settings"
    exit_code = ExitCode.USAGE


class EnvironmentMissing(SettingsError):
    """There is no environments/<name>.yaml."""

    code = "environment-missing"


class SecretMissing(SettingsError):
    """A secret that a service needs has no value."""

    code = "secret-missing"


class SecretFileUnreadable(SettingsError):
    """The secrets file cannot be read or is readable by others."""

    code = "secret-file"


class TemplateFailed(SettingsError):
    """A template could not be rendered; `where` is file:line."""

    code = "template"


class BundleInvalid(SettingsError):
    """A rendered bundle cannot be read: bad YAML, a value out of range."""

    code = "bundle"


class ComposeKeyUnsupported(SettingsError):
    """The rendered compose.yaml uses a key outside the declared subset."""

    code = "compose-key"


class DependencyCycle(SettingsError):
    """Services depend on each other in a circle."""

    code = "dependency-cycle"


class ServiceUnknown(UsageError):
    """A service was named that the environment does not have."""

    code = "service-unknown"


class ConfirmationNeeded(UsageError):
    """The command would stop service or remove data, and nobody is there to answer."""

    code = "confirmation-needed"


# --- the engine (exit 6, 7, 8) -----------------------------------------------------------------------------


class EngineUnreachable(ChatbotError):
    """No Docker Engine answers."""

    code = "engine-unreachable"
    exit_code = ExitCode.UNREACHABLE


class EnginePermissionDenied(EngineUnreachable):
    """The engine's socket exists, and this user may not use it."""

    code = "engine-permission"


class EngineTooOld(ChatbotError):
    """The engine's API is older than the one this tool needs."""

    code = "engine-too-old"
    exit_code = ExitCode.UNSUPPORTED


class NotSupported(ChatbotError):
    """This engine cannot honour something the stack asks for; said before anything runs."""

    code = "not-supported"
    exit_code = ExitCode.UNSUPPORTED


class Locked(ChatbotError):
    """Somebody else is deploying this environment."""

    code = "locked"
    exit_code = ExitCode.LOCKED


class EngineRefused(ChatbotError):
    """The engine answered with an error that has no better name here."""

    code = "engine-refused"


class WriteRefused(ChatbotError):
    """A dry run tried to change something: the client stopped it. Always a defect of this tool."""

    code = "write-refused"


# --- carrying out a plan (exit 3, 4, 5) --------------------------------------------------------------------


class GateFailed(ChatbotError):
    """A step failed and what ran before still runs (or runs again)."""

    code = "gate-failed"
    exit_code = ExitCode.ROLLED_BACK


class RollbackFailed(ChatbotError):
    """A step failed and its undo failed too: a person is needed."""

    code = "rollback-failed"
    exit_code = ExitCode.ROLLBACK_FAILED


class StepFailed(ChatbotError):
    """One operation of a plan failed; the executor turns it into GateFailed or RollbackFailed."""

    code = "step-failed"
    exit_code = ExitCode.ROLLED_BACK


class NotHealthy(StepFailed):
    """A container did not become healthy in time, or ended before it did."""

    code = "not-healthy"


class PortTaken(StepFailed):
    """A port to be published is held by somebody else; the message says by whom where that can be known."""

    code = "port-taken"


class Interrupted(ChatbotError):
    """Ctrl-C or SIGTERM; the message says what state things are left in."""

    code = "interrupted"
    exit_code = ExitCode.INTERRUPTED


# --- images (exit 4: a failed build leaves what runs untouched) --------------------------------------------


class BuildFailed(ChatbotError):
    """An image could not be built; details are the failing step's last lines."""

    code = "build-failed"
    exit_code = ExitCode.ROLLED_BACK


class DiskFull(ChatbotError):
    """The engine's disk has no room left."""

    code = "disk-full"
    exit_code = ExitCode.ROLLED_BACK


class ImageMissing(ChatbotError):
    """An image is neither on the engine nor to be had from a registry."""

    code = "image-missing"
    exit_code = ExitCode.ROLLED_BACK


class BaseImageUnavailable(ImageMissing):
    """A base image can neither be pulled nor made from packages."""

    code = "base-image-unavailable"


class ContextMissing(SettingsError):
    """A build context or Dockerfile does not exist or cannot be read."""

    code = "build-context"


# --- setup -------------------------------------------------------------------------------------------------


class SetupFailed(ChatbotError):
    """The machine could not be set up; details are the failing command's last lines."""

    code = "setup-failed"


class RootNeeded(SetupFailed):
    """Set-up needs root or sudo."""

    code = "root-needed"
    exit_code = ExitCode.USAGE
