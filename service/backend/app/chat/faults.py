"""What can go wrong with a model provider, in words for the person who waits for an answer."""

from __future__ import annotations

from typing import Any


class ProviderFault(Exception):
    """The provider failed. `message` is for people; `retry` says whether asking again at once may help."""

    def __init__(self, code: str, message: str, retry: bool = False, wait: float | None = None):
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry = retry
        self.wait = wait

    def shown(self) -> dict[str, Any]:
        """The data of an `error` event."""
        return {"code": self.code, "message": self.message, "retryable": self.code not in _FINAL}


_FINAL = {"provider-rejected", "monthly-limit-reached", "context-too-long"}


def unreachable() -> ProviderFault:
    """No connection."""
    return ProviderFault(
        "provider-unreachable", "The model's server cannot be reached. Please try again.", True
    )


def too_slow(retry: bool = False) -> ProviderFault:
    """No (further) word in time."""
    return ProviderFault("provider-timeout", "The model took too long to answer. Please try again.", retry)


def interrupted() -> ProviderFault:
    """The connection ended before the answer did."""
    return ProviderFault("provider-interrupted", "The connection to the model broke off in the middle.")


def malformed() -> ProviderFault:
    """The provider sent something that is no answer."""
    return ProviderFault("provider-malformed", "The model's server sent an answer that makes no sense.")


def too_long() -> ProviderFault:
    """The prompt does not fit the model."""
    return ProviderFault(
        "context-too-long", "This conversation is too long for the model. Please start a new one."
    )


def _is_too_long(status: int, text: str) -> bool:
    text = text.lower()
    telltales = ("context_length", "context length", "context size", "maximum context", "too many tokens")
    return status in {400, 413, 422} and any(telltale in text for telltale in telltales)


def from_status(status: int, code: str | None, text: str, retry_after: float | None = None) -> ProviderFault:
    """The fault for an HTTP answer that is not 200. `text` is only searched, never shown or logged."""
    if _is_too_long(status, f"{code} {text}"):
        return too_long()
    if status == 401 or status == 403:
        return ProviderFault(
            "provider-rejected",
            "The model's server refused our key. The operator has to look at OPENAI_API_KEY.",
        )
    if status == 404:
        return ProviderFault(
            "provider-rejected",
            "The model's server does not know this model. The operator has to look at OPENAI_MODEL.",
        )
    if status == 429:
        if code == "insufficient_quota":
            return ProviderFault(
                "provider-rejected", "The account at the model's provider has no credit left."
            )
        return ProviderFault(
            "provider-rate-limited", "The model is busy. Please try again in a minute.", True, retry_after
        )
    if status >= 500 or status in {408, 409}:
        return ProviderFault(
            "provider-failed", "The model's server failed. Please try again.", True, retry_after
        )
    return ProviderFault("provider-rejected", f"The model's server refused the request (status {status}).")
