import { ApiProblem, call, messageOf, request, Unreachable } from "./api";
import { conversations } from "./conversations";
import { moveDraft } from "./drafts";
import { readEvents } from "./event-stream";
import { Store } from "./store";
import { applyEvent, emptyThread, isPending, pendingMessage, type Thread, withLast } from "./thread";
import type { Conversation, Message, Page } from "./types";
import { noteWatched, wasWatched } from "./watched";

export const newThread = "new";

const drawEveryMilliseconds = 30;
const firstPauseMilliseconds = 250;
const longestPauseMilliseconds = 4_000;
const givesUpAfterMilliseconds = 90_000;

const beginning = "0:0";

type Opener = (signal: AbortSignal) => Promise<Response>;

const pause = (milliseconds: number) => new Promise((resume) => setTimeout(resume, milliseconds));

function textOf(message: Message | undefined): string {
  return message?.parts.map((part) => (part.type === "text" ? part.text : "")).join("") ?? "";
}

class ChatStore extends Store<{ threads: Record<string, Thread> }> {
  private readonly running = new Map<string, AbortController>();
  private drawing: ReturnType<typeof setTimeout> | null = null;

  thread(key: string): Thread {
    return this.get().threads[key] ?? emptyThread;
  }

  private put(key: string, change: Partial<Thread>): void {
    this.set({ threads: { ...this.get().threads, [key]: { ...this.thread(key), ...change } } });
  }

  /** Like put, but draws at most about thirty times a second however fast the words come. */
  private putSoon(key: string, thread: Thread): void {
    this.get().threads[key] = thread;
    this.drawing ??= setTimeout(() => {
      this.drawing = null;
      this.set({ threads: { ...this.get().threads } });
    }, drawEveryMilliseconds);
  }

  /** Loads a conversation if it is not here yet, and takes up an answer that is still being written. */
  async open(id: string): Promise<void> {
    if (this.running.has(id)) return;
    if (this.thread(id).state !== "ready") this.put(id, { state: "loading", failure: null });
    try {
      const [conversation, page] = await Promise.all([
        call<Conversation>(`/api/conversations/${id}`),
        call<Page<Message>>(`/api/conversations/${id}/messages?limit=50`),
      ]);
      if (this.running.has(id)) return;
      // A server stops an answer that nobody reads within a second; a reload may take longer than that. To have
      // read it from its very beginning on ("0:0") asks for it to be written on, wherever it was stopped.
      const last = page.items.at(-1);
      const reloaded = last !== undefined && wasWatched(last.id);
      const goesOn = last?.status === "streaming" || (reloaded && last.status === "interrupted");
      const messages = goesOn ? withLast(page.items, (message) => ({ ...message, status: "streaming" })) : page.items;
      this.put(id, { conversation, messages, olderCursor: page.next_cursor, state: "ready", activity: null });
      if (last && goesOn) void this.resume(id, last.id, reloaded ? beginning : null);
    } catch (error) {
      const missing = error instanceof ApiProblem && error.status === 404;
      if (this.thread(id).state !== "ready") this.put(id, { state: missing ? "missing" : "failed", failure: messageOf(error) });
    }
  }

  async loadOlder(id: string): Promise<void> {
    const cursor = this.thread(id).olderCursor;
    if (!cursor) return;
    const page = await call<Page<Message>>(`/api/conversations/${id}/messages?limit=50&cursor=${encodeURIComponent(cursor)}`);
    this.put(id, { messages: [...page.items, ...this.thread(id).messages], olderCursor: page.next_cursor });
  }

  /** Sends a message; with `replaceMessageId` it takes that message's place and everything after it goes. */
  async send(key: string, text: string, replaceMessageId: string | null = null): Promise<void> {
    if (this.running.has(key)) return;
    const before = this.thread(key).messages;
    const replacedAt = replaceMessageId ? before.findIndex(({ id }) => id === replaceMessageId) : -1;
    const kept = replacedAt < 0 ? before : before.slice(0, replacedAt);
    const asked = pendingMessage("user", [{ type: "text", text }]);
    this.put(key, {
      messages: [...kept, asked, pendingMessage("assistant", [])],
      activity: { kind: "sending", note: null },
      unsent: null,
    });
    const body = {
      message: text,
      ...(key !== newThread && { conversation_id: key }),
      ...(replaceMessageId && { replace_message_id: replaceMessageId }),
    };
    const post = () => this.follow(key, (signal) => this.post("/api/chat", body, signal), null);
    try {
      await post().catch(async (error: unknown) => {
        if (!(error instanceof ApiProblem) || (error.status !== 0 && error.status < 502)) throw error;
        // The line broke before anything came back. Only when the message surely did not arrive is it sent again.
        await pause(firstPauseMilliseconds);
        const arrived = await this.landed(key, text, before);
        if (arrived === null) throw error;
        if (!arrived) await post();
      });
    } catch (error) {
      this.put(key, { messages: before, activity: null, unsent: { text, reason: messageOf(error), replaceMessageId } });
    }
  }

  /** Has the last answer written again. */
  async regenerate(key: string): Promise<void> {
    if (this.running.has(key)) return;
    const before = this.thread(key).messages;
    const kept = before.at(-1)?.role === "assistant" ? before.slice(0, -1) : before;
    this.put(key, { messages: [...kept, pendingMessage("assistant", [])], activity: { kind: "sending", note: null }, unsent: null });
    try {
      await this.follow(key, (signal) => this.post(`/api/conversations/${key}/regenerate`, undefined, signal), null);
    } catch (error) {
      this.put(key, { messages: before, activity: null, failure: messageOf(error) });
    }
  }

  async stop(key: string): Promise<void> {
    const { activity } = this.thread(key);
    if (!activity || activity.kind === "stopping") return;
    this.put(key, { activity: { kind: "stopping", note: null } });
    try {
      await call(`/api/conversations/${key}/stop`, { method: "POST" });
    } catch {
      // Leaving is enough: an answer nobody reads is stopped by the server.
      this.running.get(key)?.abort();
    }
  }

  /** Takes a lost connection up again, when a person asks for it. */
  async reconnect(key: string): Promise<void> {
    const last = this.thread(key).messages.at(-1);
    if (last && !isPending(last)) await this.open(key);
  }

  dismiss(key: string): void {
    this.put(key, { unsent: null, failure: null });
  }

  forget(key: string): void {
    this.running.get(key)?.abort();
    const { [key]: _gone, ...threads } = this.get().threads;
    this.set({ threads });
  }

  private async post(path: string, body: unknown, signal: AbortSignal): Promise<Response> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const headers = { accept: "text/event-stream", "x-utc-offset": String(-new Date().getTimezoneOffset()) };
        return await request(path, { method: "POST", body, signal, headers });
      } catch (error) {
        // 503 means it was not taken: a server is going away and the next one is about to answer.
        const comesBack = error instanceof ApiProblem && error.status === 503;
        if (!comesBack || attempt >= 8) throw error;
        await pause(Math.min(firstPauseMilliseconds * 2 ** attempt, 2_000));
      }
    }
  }

  private resume(key: string, messageId: string, lastEventId: string | null): Promise<void> {
    return this.follow(key, this.opener(key, messageId, lastEventId), messageId);
  }

  private opener(key: string, messageId: string, lastEventId: string | null): Opener {
    return (signal) =>
      request(`/api/conversations/${key}/messages/${messageId}/stream`, {
        signal,
        headers: { accept: "text/event-stream", ...(lastEventId && { "last-event-id": lastEventId }) },
      });
  }

  /**
   * Reads an answer to its end, across broken connections: each time the line drops before `done`, the stream is
   * opened again after the last event that was seen. Throws only when not even the beginning arrived.
   */
  private async follow(startKey: string, first: Opener, knownMessageId: string | null): Promise<void> {
    const controller = new AbortController();
    let key = startKey;
    let messageId = knownMessageId;
    let lastEventId: string | null = null;
    let open = first;
    let brokenSince: number | null = null;
    let attempt = 0;
    let askedToWait: number | null = null;
    this.running.set(key, controller);
    try {
      for (;;) {
        try {
          for await (const received of readEvents(await open(controller.signal))) {
            brokenSince = null;
            attempt = 0;
            if (received.event === "reconnect") {
              askedToWait = received.data.retry_ms;
              break;
            }
            if (received.event === "start") {
              messageId = received.data.message.id;
              noteWatched(messageId, false);
              key = this.moveTo(key, received.data.conversation, controller);
            }
            const thread = applyEvent(this.thread(key), received, lastEventId !== null);
            if (received.id) lastEventId = received.id;
            if (received.event === "delta") this.putSoon(key, thread);
            else this.put(key, thread);
            if (received.event === "done") {
              noteWatched(received.data.message.id, true);
              return;
            }
          }
        } catch (error) {
          if (controller.signal.aborted) return;
          if (!messageId) throw error;
          if (error instanceof ApiProblem && error.status >= 400 && error.status < 500 && error.status !== 429) break;
        }
        if (controller.signal.aborted) return;
        if (!messageId) throw new Unreachable();
        brokenSince ??= Date.now();
        if (Date.now() - brokenSince > givesUpAfterMilliseconds) break;
        // The first try is silent: most interruptions are over before anyone could read about them.
        if (attempt > 0) this.put(key, { activity: { kind: "reconnecting", note: null } });
        // At once the first time, unless the server named a pause: it stops an answer that nobody watches.
        await pause(askedToWait ?? (attempt === 0 ? 0 : Math.min(firstPauseMilliseconds * 2 ** (attempt - 1), longestPauseMilliseconds)));
        askedToWait = null;
        attempt += 1;
        open = this.opener(key, messageId, lastEventId);
      }
      this.put(key, { activity: { kind: "lost", note: null } });
    } finally {
      if (this.running.get(key) === controller) this.running.delete(key);
      if (controller.signal.aborted && this.get().threads[key]) this.settle(key);
    }
  }

  private settle(key: string): void {
    const { messages } = this.thread(key);
    const last = messages.at(-1);
    const stopped = last?.status === "streaming" ? [...messages.slice(0, -1), { ...last, status: "stopped" as const }] : messages;
    this.put(key, { messages: stopped, activity: null });
  }

  private moveTo(key: string, conversation: Conversation, controller: AbortController): string {
    conversations.touch(conversation);
    if (key !== newThread) return key;
    const { [newThread]: thread, ...others } = this.get().threads;
    this.running.delete(newThread);
    this.running.set(conversation.id, controller);
    this.set({ threads: { ...others, [conversation.id]: thread ?? emptyThread } });
    moveDraft(newThread, conversation.id);
    // The address follows the conversation, without loading the page anew.
    if (location.pathname === "/chat") history.replaceState(null, "", `/chat/${conversation.id}`);
    return conversation.id;
  }

  /**
   * After a broken POST: whether the message arrived all the same; null when that cannot be found out.
   * If it did, the thread goes on from there.
   */
  private async landed(key: string, text: string, before: Message[]): Promise<boolean | null> {
    try {
      let id = key;
      if (key === newThread) {
        const newest = (await call<Page<Conversation>>("/api/conversations?limit=1")).items[0];
        if (!newest || Date.now() - Date.parse(newest.created_at) > 120_000) return false;
        id = newest.id;
      }
      const { items } = await call<Page<Message>>(`/api/conversations/${id}/messages?limit=2`);
      const asked = items.findLast(({ role }) => role === "user");
      if (!asked || textOf(asked) !== text || before.some((message) => message.id === asked.id)) return false;
      if (key === newThread) {
        this.put(newThread, emptyThread);
        if (location.pathname === "/chat") history.replaceState(null, "", `/chat/${id}`);
      }
      await this.open(id);
      return true;
    } catch {
      return null;
    }
  }
}

export const chat = new ChatStore({ threads: {} });
