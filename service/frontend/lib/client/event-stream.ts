import type { StreamEvent } from "./types";

export type ReceivedEvent = StreamEvent & { id: string | null };

function parseBlock(block: string): { event: string; id: string | null; data: string; retry: number | null } {
  let event = "message";
  let id: string | null = null;
  let retry: number | null = null;
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const separator = line.indexOf(":");
    if (separator === 0) continue; // a heartbeat
    const field = separator < 0 ? line : line.slice(0, separator);
    const value = separator < 0 ? "" : line.slice(separator + 1).replace(/^ /, "");
    if (field === "event") event = value;
    else if (field === "id") id = value;
    else if (field === "data") data.push(value);
    else if (field === "retry") retry = Number(value);
  }
  return { event, id, data: data.join("\n"), retry };
}

/**
 * The events of a text/event-stream answer, one by one as they arrive. Half an event at the end of a broken
 * connection is dropped: its id was not seen, so it is sent again when the stream is resumed.
 * (The browser's own EventSource can neither POST nor tell a refusal from a broken line.)
 */
export async function* readEvents(response: Response): AsyncGenerator<ReceivedEvent> {
  if (!response.body) return;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let buffer = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      buffer += decoder.decode(value, { stream: true });
      buffer = buffer.replaceAll("\r\n", "\n");
      for (let end = buffer.indexOf("\n\n"); end >= 0; end = buffer.indexOf("\n\n")) {
        const { event, id, data } = parseBlock(buffer.slice(0, end));
        buffer = buffer.slice(end + 2);
        if (data) yield { event, id, data: JSON.parse(data) } as ReceivedEvent;
      }
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}
