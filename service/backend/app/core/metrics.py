"""What Prometheus can ask for. Labels are routes and fixed words only, never user input."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

registry = CollectorRegistry()
ProcessCollector(registry=registry)
PlatformCollector(registry=registry)

requests = Counter(
    "chatbot_http_requests", "Answered requests.", ["method", "route", "status"], registry=registry
)
latency = Histogram(
    "chatbot_http_request_seconds",
    "Time to the last byte of ordinary answers, to the first of streams.",
    ["method", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=registry,
)
errors = Counter("chatbot_http_errors", "Answers with a 5xx status.", ["route"], registry=registry)
open_streams = Gauge("chatbot_open_streams", "Streams that clients hold open.", registry=registry)
answers = Counter("chatbot_answers", "Finished answers by outcome.", ["outcome"], registry=registry)
tokens = Counter("chatbot_tokens", "Tokens by direction.", ["direction"], registry=registry)
first_token = Histogram(
    "chatbot_provider_first_token_seconds",
    "From asking the provider to its first word.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
    registry=registry,
)
provider_retries = Counter("chatbot_provider_retries", "Repeated provider requests.", registry=registry)

router = APIRouter(tags=["operations"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus text"}
    },
)
async def metrics() -> Response:
    """Counters and histograms in Prometheus' text format."""
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
