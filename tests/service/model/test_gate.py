"""What the gate lets through, what it refuses, and that it passes words on as they come."""

from __future__ import annotations

import asyncio
import json

import gate
import pytest
from gate_stage import ASK, CHAT, PATIENCE, Stage, play, split


def test_each_word_arrives_before_the_next_is_made():
    async def scene(stage: Stage) -> None:
        await stage.set()
        reader, _ = await stage.post()
        for word in (b"one ", b"two ", b"three "):
            stage.runtime.words.put_nowait(word)
            # The runtime says nothing more until this word is here, so a gate that collects would hang.
            await reader.readuntil(word)
        stage.runtime.words.put_nowait(None)
        assert await reader.read() == b""

    play(scene)


def test_what_is_beyond_the_queue_gets_503_at_once_and_health_still_answers():
    async def scene(stage: Stage) -> None:
        await stage.set(slots=1, waiting=1)
        open_chats = [await stage.post() for _ in range(2)]
        for _ in open_chats:
            await stage.runtime.asked.acquire()

        reader, _ = await stage.post()
        status, head, body = split(await reader.read())
        health = await stage.refused(b"GET /health HTTP/1.1\r\n\r\n")

        assert status == 503
        assert "Retry-After: 5" in head
        assert body["error"]["message"].startswith(
            "the local model is busy: 1 chats are being answered and 1 wait"
        )
        assert health[0] == 200
        assert health[2] == {"status": "ok", "answering": 2}
        assert stage.runtime.asked_for_health == 0

    play(scene)


def test_a_place_is_free_again_when_an_answer_ends():
    async def scene(stage: Stage) -> None:
        await stage.set(slots=1, waiting=0)
        for _ in range(3):
            reader, _ = await stage.post()
            stage.runtime.words.put_nowait(None)
            assert b"200 OK" in await reader.read()
        assert stage.gate.generations == 0

    play(scene)


def test_a_client_that_leaves_takes_its_generation_with_it():
    async def scene(stage: Stage) -> None:
        await stage.set(slots=1, waiting=0)
        reader, writer = await stage.post()
        stage.runtime.words.put_nowait(b"word ")
        await reader.readuntil(b"word ")

        writer.close()

        await stage.runtime.left.acquire()
        while stage.gate.generations:
            await asyncio.sleep(0)
        assert any(CHAT in line and " left " in line for line in stage.lines)

    play(scene)


def test_a_client_that_closes_after_the_last_word_has_not_left_early():
    async def scene(stage: Stage) -> None:
        await stage.set()
        reader, writer = await stage.post()
        stage.runtime.words.put_nowait(b"4\r\nword" + gate.LAST_CHUNK)
        await reader.readuntil(gate.LAST_CHUNK)

        writer.close()

        await stage.runtime.left.acquire()
        while stage.gate.generations:
            await asyncio.sleep(0)
        assert len(stage.lines) == 1
        assert f"{CHAT} 200 " in stage.lines[0]

    play(scene)


def test_a_client_that_leaves_while_sending_frees_its_place():
    async def scene(stage: Stage) -> None:
        await stage.set(slots=1, waiting=0)
        _, writer = await stage.send(f"POST {CHAT} HTTP/1.1\r\nContent-Length: 50\r\n\r\nhalf".encode())
        while not stage.gate.generations:
            await asyncio.sleep(0)

        writer.close()

        while stage.gate.generations:
            await asyncio.sleep(0)
        assert stage.runtime.requests == []

    play(scene)


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ({}, 100),
        ({"max_tokens": 7}, 7),
        ({"max_tokens": 101}, 100),
        ({"max_completion_tokens": 9, "max_tokens": 50}, 9),
        ({"n_predict": 5}, 5),
        ({"max_tokens": -1}, 100),
        ({"max_tokens": None}, 100),
    ],
)
def test_answers_are_held_to_the_limit(asked, given):
    sent = json.loads(gate.capped(json.dumps(ASK | asked).encode(), 100))

    assert sent == ASK | {"max_tokens": given}


@pytest.mark.parametrize(
    ("raw", "status", "message"),
    [
        (b"GET /slots HTTP/1.1\r\n\r\n", 404, "GET /slots is not served here"),
        (b"GET /v1/chat/completions HTTP/1.1\r\n\r\n", 405, "GET /v1/chat/completions is not served here"),
        (b"POST /v1/models HTTP/1.1\r\n\r\n", 405, "POST /v1/models is not served here"),
        (b"hello\r\n\r\n", 400, "this is not an HTTP/1.1 request"),
        (b"GET / HTTP/2.0\r\n\r\n", 400, "this is not an HTTP/1.1 request"),
        (b"GET /health HTTP/1.1\r\nX: " + b"x" * 40_000 + b"\r\n\r\n", 431, "the request's head is over"),
        (b"POST %s HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n", 413, "the body is over 1048576 bytes"),
        (b"POST %s HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400, "Content-Length is not a number"),
        (b"POST %s HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411, "send a Content-Length"),
        (b"POST %s HTTP/1.1\r\nContent-Length: 4\r\n\r\n{bad", 400, "the body is not valid JSON"),
        (b"POST %s HTTP/1.1\r\nContent-Length: 2\r\n\r\n[]", 400, "the body must be a JSON object"),
        (
            b'POST %s HTTP/1.1\r\nContent-Length: 18\r\n\r\n{"max_tokens":"9"}',
            400,
            "max_tokens must be a whole number",
        ),
        (
            b'POST %s HTTP/1.1\r\nContent-Length: 19\r\n\r\n{"max_tokens":true}',
            400,
            "max_tokens must be a whole number",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_in_the_shape_of_openai(raw, status, message):
    async def scene(stage: Stage) -> None:
        await stage.set()

        answered, _, body = await stage.refused(raw.replace(b"%s", CHAT.encode()))

        assert answered == status
        assert body["error"]["message"].startswith(message)
        assert body["error"]["code"] == status
        assert stage.runtime.requests == []
        assert stage.gate.generations == 0

    play(scene)


def test_only_what_the_runtime_needs_is_passed_on():
    async def scene(stage: Stage) -> None:
        await stage.set()
        await stage.post(headers="Authorization: Bearer key\r\nOrigin: http://elsewhere\r\nCookie: a=b\r\n")

        head, body = await stage.runtime.next_request()

        assert b"Authorization: Bearer key\r\n" in head
        assert b"Origin" not in head
        assert b"Cookie" not in head
        assert body == ASK | {"max_tokens": 100}

    play(scene)


def test_a_runtime_that_is_gone_gives_502():
    async def scene(stage: Stage) -> None:
        await stage.set()
        stage.upstream.close()
        await stage.upstream.wait_closed()

        reader, _ = await stage.post()

        status, _, body = split(await reader.read())
        assert status == 502
        assert body["error"]["message"] == "the model runtime does not answer"

    play(scene)


def test_health_is_that_of_the_runtime_behind():
    async def scene(stage: Stage) -> None:
        await stage.set()

        alive, _, body = await stage.refused(b"GET /health HTTP/1.1\r\n\r\n")
        stage.upstream.close()
        await stage.upstream.wait_closed()
        dead, _, reason = await stage.refused(b"GET /health HTTP/1.1\r\n\r\n")

        assert (alive, body) == (200, {"status": "ok", "answering": 0})
        assert stage.runtime.asked_for_health == 1
        assert dead == 503
        assert reason["error"]["message"] == "the model runtime does not answer"

    play(scene)


def test_a_runtime_that_hangs_is_not_healthy(monkeypatch):
    monkeypatch.setattr(gate, "HEALTH_SECONDS", 0.05)

    async def scene(stage: Stage) -> None:
        await stage.set()
        never = asyncio.Event()

        async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await never.wait()
            writer.close()

        hung = await asyncio.start_server(silent, "127.0.0.1", 0)
        stage.gate.upstream = hung.sockets[0].getsockname()

        status, _, _ = await stage.refused(b"GET /health HTTP/1.1\r\n\r\n")

        assert status == 503
        never.set()
        hung.close()

    play(scene)


def test_stopping_waits_for_the_running_answer_and_takes_no_new_one():
    async def scene(stage: Stage) -> None:
        await stage.set(slots=2)
        running, _ = await stage.post()
        await stage.runtime.asked.acquire()

        drained = asyncio.create_task(stage.gate.drained(PATIENCE))
        await asyncio.sleep(0)
        late, _ = await stage.post()
        status, _, body = split(await late.read())
        assert status == 503
        assert "stopping" in body["error"]["message"]
        assert not drained.done()

        stage.runtime.words.put_nowait(b"end")
        stage.runtime.words.put_nowait(None)
        assert (await running.read()).endswith(b"end")
        assert await drained is True

    play(scene)


def test_stopping_gives_up_on_an_answer_that_does_not_end():
    async def scene(stage: Stage) -> None:
        await stage.set()
        await stage.post()
        await stage.runtime.asked.acquire()

        assert await stage.gate.drained(0.01) is False

    play(scene)


def test_the_words_of_a_chat_are_not_logged():
    async def scene(stage: Stage) -> None:
        await stage.set()
        reader, _ = await stage.post({"messages": [{"role": "user", "content": "my secret"}]})
        stage.runtime.words.put_nowait(b"another secret")
        stage.runtime.words.put_nowait(None)
        await reader.read()

        assert len(stage.lines) == 1
        assert stage.lines[0].startswith(f"model: {CHAT} 200 ")
        assert "secret" not in stage.lines[0]

    play(scene)
