"use client";

import { Pencil, RotateCw } from "lucide-react";
import { memo, useState } from "react";
import { Markdown } from "@/components/chat/markdown";
import { MessageEditor } from "@/components/chat/message-editor";
import { ToolCard } from "@/components/chat/tool-card";
import { Button, IconButton } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Notice } from "@/components/ui/notice";
import { Mark } from "@/components/ui/wordmark";
import { isPending } from "@/lib/client/thread";
import type { Message } from "@/lib/client/types";

export function textOf(message: Message): string {
  return message.parts.map((part) => (part.type === "text" ? part.text : part.summary)).join("\n\n");
}

type MessageProperties = {
  message: Message;
  /** What the server says while no word arrives. */
  note: string | null;
  isLast: boolean;
  busy: boolean;
  onRegenerate: () => void;
  onResend: (messageId: string, text: string) => void;
};

const actions = "flex opacity-0 transition-opacity group-focus-within:opacity-100 group-hover:opacity-100 max-lg:opacity-100";

function Question({ message, busy, onResend }: MessageProperties) {
  const [editing, setEditing] = useState(false);
  const text = textOf(message);
  if (editing) {
    return (
      <MessageEditor
        text={text}
        onCancel={() => setEditing(false)}
        onSave={(changed) => {
          setEditing(false);
          onResend(message.id, changed);
        }}
      />
    );
  }
  return (
    <div className="group flex flex-col items-end">
      <p className="max-w-[85%] whitespace-pre-wrap rounded-2xl rounded-br-md bg-accent-soft px-4 py-2.5 leading-relaxed [overflow-wrap:anywhere]">
        <span className="sr-only">You: </span>
        {text}
      </p>
      <div className={`${actions} mt-1 h-7`}>
        <CopyButton label="Copy your message" text={text} />
        <IconButton small label="Edit and send again" data-edit-message disabled={busy || isPending(message)} onClick={() => setEditing(true)}>
          <Pencil aria-hidden />
        </IconButton>
      </div>
    </div>
  );
}

const endings: Partial<Record<Message["status"], string>> = {
  stopped: "Stopped here.",
  interrupted: "Interrupted here: nobody was reading. What was written is kept.",
};

function Answer({ message, note, isLast, busy, onRegenerate }: MessageProperties) {
  const writing = message.status === "streaming" && busy;
  const ending = endings[message.status];
  return (
    <div className="group flex gap-3.5" aria-busy={writing}>
      <Mark className="mt-0.5 size-6 shrink-0 max-sm:hidden" />
      <div className="min-w-0 flex-1 space-y-3">
        <span className="sr-only">Answer: </span>
        {message.parts.map((part, index) =>
          part.type === "tool" ? (
            <ToolCard key={index} part={part} />
          ) : (
            <Markdown key={index} text={part.text} writing={writing && index === message.parts.length - 1} />
          ),
        )}
        {writing && message.parts.at(-1)?.type !== "text" && <p className="prose writing" />}
        {writing && note && <p className="text-sm text-ink-faint">{note}</p>}
        {message.error && (
          <Notice
            action={
              isLast && (
                <Button look="danger" className="-my-1 h-8 shrink-0 px-3" disabled={busy} onClick={onRegenerate}>
                  Try again
                </Button>
              )
            }
          >
            {message.error.message}
          </Notice>
        )}
        {ending && <p className="text-sm text-ink-faint">{ending}</p>}
        {!writing && !isPending(message) && (
          <div className={`${actions} -ml-1.5 h-7 items-center ${isLast ? "opacity-100" : ""}`}>
            {message.parts.length > 0 && <CopyButton label="Copy the answer" text={textOf(message)} />}
            {isLast && !message.error && (
              <IconButton small label="Write the answer again" disabled={busy} onClick={onRegenerate}>
                <RotateCw aria-hidden />
              </IconButton>
            )}
            {message.model && message.parts.some(({ type }) => type === "text") && <span className="ml-2 text-xs text-ink-faint">{message.model}</span>}
          </div>
        )}
      </div>
    </div>
  );
}

/** One message. Memoised: while an answer is written only that answer is drawn again. */
export const MessageView = memo(function MessageView(properties: MessageProperties) {
  return (
    <li data-role={properties.message.role} data-status={properties.message.status}>
      {properties.message.role === "user" ? <Question {...properties} /> : <Answer {...properties} />}
    </li>
  );
});
