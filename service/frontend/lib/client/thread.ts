import type { Conversation, Message, Part, StreamEvent } from "./types";

/** What goes on in a conversation while an answer is awaited. */
export type Activity = {
  kind: "sending" | "answering" | "reconnecting" | "lost" | "stopping";
  /** What the server says meanwhile, such as that it tries the model again. */
  note: string | null;
};

export type Unsent = { text: string; reason: string; replaceMessageId: string | null };

export type Thread = {
  conversation: Conversation | null;
  messages: Message[];
  state: "new" | "loading" | "ready" | "missing" | "failed";
  failure: string | null;
  olderCursor: string | null;
  activity: Activity | null;
  unsent: Unsent | null;
};

export const emptyThread: Thread = {
  conversation: null,
  messages: [],
  state: "new",
  failure: null,
  olderCursor: null,
  activity: null,
  unsent: null,
};

const pendingPrefix = "pending-";

/** A message that is shown before the server has given it an id. */
export function pendingMessage(role: Message["role"], parts: Part[]): Message {
  return {
    id: `${pendingPrefix}${role}`,
    role,
    status: role === "assistant" ? "streaming" : "complete",
    parts,
    model: null,
    error: null,
    created_at: new Date().toISOString(),
  };
}

export function isPending(message: Message): boolean {
  return message.id.startsWith(pendingPrefix);
}

/** The messages with the last of them changed. */
export function withLast(messages: Message[], change: (last: Message) => Message): Message[] {
  const last = messages.at(-1);
  return last ? [...messages.slice(0, -1), change(last)] : messages;
}

function withText(parts: Part[], text: string): Part[] {
  const last = parts.at(-1);
  if (last?.type === "text") return [...parts.slice(0, -1), { type: "text", text: last.text + text }];
  return [...parts, { type: "text", text }];
}

function begin(thread: Thread, data: Extract<StreamEvent, { event: "start" }>["data"], resumed: boolean): Thread {
  let messages = thread.messages.filter((message) => !isPending(message));
  const { conversation, user_message: asked, message } = data;
  if (asked) {
    const known = messages.findIndex(({ id }) => id === asked.id);
    messages = known < 0 ? [...messages, asked] : [...messages.slice(0, known), asked];
  }
  const known = messages.findIndex(({ id }) => id === message.id);
  if (known < 0) messages = [...messages, { ...message, status: "streaming", parts: [] }];
  else if (!resumed) messages = [...messages.slice(0, known), { ...message, status: "streaming", parts: [] }];
  return { ...thread, conversation, messages, state: "ready", activity: { kind: "answering", note: null }, unsent: null };
}

/** The thread after one event of its stream; `resumed` when the stream was taken up after words already shown. */
export function applyEvent(thread: Thread, received: StreamEvent, resumed: boolean): Thread {
  const answering: Activity = { kind: thread.activity?.kind === "stopping" ? "stopping" : "answering", note: null };
  switch (received.event) {
    case "start":
      return begin(thread, received.data, resumed);
    case "delta":
      return {
        ...thread,
        activity: answering,
        messages: withLast(thread.messages, (last) => ({ ...last, parts: withText(last.parts, received.data.text) })),
      };
    case "tool":
      return {
        ...thread,
        activity: answering,
        messages: withLast(thread.messages, (last) => ({ ...last, parts: [...last.parts, received.data] })),
      };
    case "status":
      return { ...thread, activity: { ...answering, note: received.data.message } };
    case "error":
      return {
        ...thread,
        messages: withLast(thread.messages, (last) => ({ ...last, status: "failed", error: received.data })),
      };
    case "done":
      return { ...thread, activity: null, messages: withLast(thread.messages, () => received.data.message) };
    case "reconnect":
      return { ...thread, activity: { kind: "reconnecting", note: null } };
  }
}
