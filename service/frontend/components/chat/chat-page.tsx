"use client";

import { ArrowDown, MessageCircleOff } from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { useCallback, useEffect } from "react";
import { Composer } from "@/components/chat/composer";
import { EmptyChat } from "@/components/chat/empty-chat";
import { MessageView, textOf } from "@/components/chat/message-view";
import { ModelLabel } from "@/components/chat/model-label";
import { useStickToBottom } from "@/components/chat/stick-to-bottom";
import { Button, buttonLook, IconButton } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { chat, newThread } from "@/lib/client/chat";
import { useHydrated } from "@/lib/client/hydrated";
import { shownTitle } from "@/lib/client/titles";
import { emptyThread, type Activity, type Thread } from "@/lib/client/thread";

function editLastQuestion() {
  const buttons = document.querySelectorAll<HTMLButtonElement>("[data-edit-message]:not(:disabled)");
  buttons[buttons.length - 1]?.click();
}

/** What a screen reader hears: that an answer began, that it is there, and anything that goes wrong with the line. */
function spoken(thread: Thread): string {
  const last = thread.messages.at(-1);
  if (thread.activity?.kind === "reconnecting") return "Connection lost, reconnecting";
  if (thread.activity) return "The answer is being written";
  if (last?.role !== "assistant" || last.status === "failed") return "";
  return `Answer: ${textOf(last).slice(0, 600)}`;
}

function LineState({ activity, onReconnect }: { activity: Activity | null; onReconnect: () => void }) {
  if (activity?.kind === "reconnecting") return <Notice kind="info">Connection lost. Reconnecting; no word gets lost…</Notice>;
  if (activity?.kind !== "lost") return null;
  return (
    <Notice
      action={
        <Button look="danger" className="-my-1 h-8" onClick={onReconnect}>
          Reconnect
        </Button>
      }
    >
      The connection could not be restored. What you see is kept.
    </Notice>
  );
}

function Missing({ thread, onRetry }: { thread: Thread; onRetry: () => void }) {
  const gone = thread.state === "missing";
  return (
    <div className="m-auto max-w-sm py-12 text-center">
      <MessageCircleOff className="mx-auto size-8 text-ink-faint" strokeWidth={1.5} aria-hidden />
      <h1 className="mt-4 font-serif text-2xl font-medium tracking-tight">
        {gone ? "This conversation is not here" : "This conversation did not load"}
      </h1>
      <p className="mt-2 text-ink-soft">{gone ? "It was deleted, or belongs to another account." : thread.failure}</p>
      {gone ? (
        <Link href="/chat" className={`${buttonLook("outline")} mt-6`}>
          Start a new one
        </Link>
      ) : (
        <Button look="outline" className="mt-6" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

function Placeholder({ hidden }: { hidden: boolean }) {
  if (hidden) return null; // most pages are taken over before a placeholder could be read
  return (
    <div role="status" aria-label="Loading the conversation" className="w-full animate-pulse space-y-6 pt-6">
      <div className="ml-auto h-11 w-1/2 rounded-2xl bg-ink/6" />
      <div className="space-y-3">
        <div className="h-4 w-11/12 rounded bg-ink/6" />
        <div className="h-4 w-4/5 rounded bg-ink/6" />
        <div className="h-4 w-2/5 rounded bg-ink/6" />
      </div>
    </div>
  );
}

export function ChatPage() {
  const path = usePathname();
  const hydrated = useHydrated();
  const key = (hydrated && path.split("/")[2]) || newThread;
  const thread = chat.use().threads[key] ?? emptyThread;
  const busy = thread.activity !== null && thread.activity.kind !== "lost";
  const { scroller, away, toEnd } = useStickToBottom(thread.messages, key);

  useEffect(() => {
    if (key !== newThread) void chat.open(key);
  }, [key]);

  const title = thread.conversation ? shownTitle(thread.conversation) : null;
  useEffect(() => {
    if (title) document.title = `${title} · Chatbot`;
  }, [title]);

  useEffect(() => {
    if (!busy || key === newThread) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !document.querySelector("dialog[open]")) void chat.stop(key);
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [busy, key]);

  useEffect(() => {
    // Back online, or back from sleep: do not wait for the next try.
    const onOnline = () => void chat.reconnect(key);
    window.addEventListener("online", onOnline);
    return () => window.removeEventListener("online", onOnline);
  }, [key]);

  const send = useCallback(
    (text: string) => {
      void chat.send(key, text);
      toEnd();
    },
    [key, toEnd],
  );
  const resend = useCallback((id: string, text: string) => void chat.send(key, text, id), [key]);
  const regenerate = useCallback(() => void chat.regenerate(key), [key]);

  const loading = !hydrated || thread.state === "loading" || (thread.state === "new" && key !== newThread);
  const isEmpty = hydrated && key === newThread && thread.messages.length === 0;
  return (
    <>
      <div ref={scroller} className="min-h-0 flex-1 overflow-y-auto" tabIndex={-1}>
        <div className="mx-auto flex min-h-full w-full max-w-[46rem] flex-col px-4 pb-6 pt-6 sm:px-6">
          {isEmpty && <EmptyChat onChoose={send} />}
          {loading && <Placeholder hidden={!hydrated} />}
          {(thread.state === "missing" || thread.state === "failed") && <Missing thread={thread} onRetry={() => void chat.open(key)} />}
          {thread.messages.length > 0 && <h1 className="sr-only">{title || "Conversation"}</h1>}
          {thread.olderCursor && (
            <Button look="quiet" className="mx-auto mb-4" onClick={() => void chat.loadOlder(key)}>
              Show earlier messages
            </Button>
          )}
          {thread.messages.length > 0 && (
            <ol aria-label="Messages" className="space-y-3">
              {thread.messages.map((message, index) => (
                <MessageView
                  key={message.id}
                  message={message}
                  note={index === thread.messages.length - 1 ? (thread.activity?.note ?? null) : null}
                  isLast={index === thread.messages.length - 1}
                  busy={busy}
                  onRegenerate={regenerate}
                  onResend={resend}
                />
              ))}
            </ol>
          )}
        </div>
      </div>
      <p role="status" className="sr-only">
        {spoken(thread)}
      </p>
      {thread.state !== "missing" && (
        <div className="relative mx-auto w-full max-w-[46rem] space-y-2.5 px-4 pb-2.5 sm:px-6">
          {away && (
            <IconButton
              label="To the newest message"
              onClick={toEnd}
              className="absolute -top-12 left-1/2 z-10 -translate-x-1/2 rounded-full border border-line bg-surface shadow-lift"
            >
              <ArrowDown aria-hidden />
            </IconButton>
          )}
          <LineState activity={thread.activity} onReconnect={() => void chat.reconnect(key)} />
          {(thread.unsent || (thread.failure && thread.state === "ready")) && (
            <Notice
              action={
                <Button look="danger" className="-my-1 h-8" onClick={() => chat.dismiss(key)}>
                  Dismiss
                </Button>
              }
            >
              {thread.unsent ? `Not sent. ${thread.unsent.reason}` : thread.failure}
            </Notice>
          )}
          <Composer
            threadKey={key}
            busy={busy}
            canStop={busy && key !== newThread}
            returned={thread.unsent?.text ?? null}
            onSend={send}
            onStop={() => void chat.stop(key)}
            onEditLast={editLastQuestion}
          />
          <ModelLabel />
        </div>
      )}
    </>
  );
}
