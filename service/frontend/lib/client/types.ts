/** The shapes of the backend's API; see service/backend/API.md. */

export type User = { id: string; email: string; name: string; created_at: string };

export type Usage = {
  month: string;
  prompt_tokens: number;
  completion_tokens: number;
  requests: number;
  cost_usd: number;
  limit_tokens: number;
  remaining_tokens: number | null;
  resets_at: string;
};

export type Task = {
  id: string;
  title: string;
  notes: string;
  done: boolean;
  done_at: string | null;
  due_on: string | null;
  tags: string[];
  position: number;
  version: number;
  created_at: string;
  updated_at: string;
};

export type Conversation = { id: string; title: string; created_at: string; updated_at: string };

export type TextPart = { type: "text"; text: string };

export type ToolPart = {
  type: "tool";
  name: string;
  arguments: Record<string, unknown>;
  ok: boolean;
  summary: string;
  tasks: Task[];
  undo: { label: string; method: string; path: string; body: unknown } | null;
};

export type Part = TextPart | ToolPart;

export type MessageStatus = "streaming" | "complete" | "stopped" | "interrupted" | "failed";

export type Message = {
  id: string;
  role: "user" | "assistant";
  status: MessageStatus;
  parts: Part[];
  model: string | null;
  error: { code: string; message: string } | null;
  created_at: string;
};

export type Model = { name: string; kind: "local-demo" | "openai" | "other"; label: string; size?: string | null; available: boolean | null };

export type Command = { command: string; usage: string; description: string };

export type Page<Item> = { items: Item[]; next_cursor: string | null };

export type StreamEvent =
  | { event: "start"; data: { conversation: Conversation; user_message: Message | null; message: Message } }
  | { event: "delta"; data: { text: string } }
  | { event: "tool"; data: ToolPart }
  | { event: "status"; data: { state: string; attempt: number; message: string } }
  | { event: "error"; data: { code: string; message: string; retryable: boolean } }
  | { event: "done"; data: { message: Message; finish_reason: string } }
  | { event: "reconnect"; data: { retry_ms: number } };
