"use client";

import { Pencil, Search, Trash2, X } from "lucide-react";
import Link from "next/link";
import { usePathname, useRouter } from "next/navigation";
import { useEffect, useId, useRef, useState } from "react";
import { Button, IconButton } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/dialog";
import { messageOf } from "@/lib/client/api";
import { chat } from "@/lib/client/chat";
import { conversations } from "@/lib/client/conversations";
import { ageGroup } from "@/lib/client/dates";
import { shownTitle } from "@/lib/client/titles";
import type { Conversation } from "@/lib/client/types";

const searchPauseMilliseconds = 200;

/** The conversations, newest first and grouped by age; searched, renamed and deleted where they stand. */
export function ConversationList({ onNavigate }: { onNavigate: () => void }) {
  const { items, nextCursor, search, state, failure } = conversations.use();
  const [question, setQuestion] = useState(search);
  const [renaming, setRenaming] = useState<string | null>(null);
  const [deleting, setDeleting] = useState<Conversation | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const path = usePathname();
  const router = useRouter();
  const searchId = useId();

  useEffect(() => {
    if (question === conversations.get().search) return;
    const timer = setTimeout(() => void conversations.load({ search: question }), searchPauseMilliseconds);
    return () => clearTimeout(timer);
  }, [question]);

  async function remove(conversation: Conversation) {
    try {
      await conversations.remove(conversation.id);
      chat.forget(conversation.id);
      setProblem(null);
      if (path === `/chat/${conversation.id}`) router.push("/chat");
    } catch (error) {
      setProblem(messageOf(error));
    }
  }

  async function rename(conversation: Conversation, title: string) {
    setRenaming(null);
    if (!title.trim() || title === conversation.title) return;
    await conversations.rename(conversation.id, title.trim()).then(() => setProblem(null), (error) => setProblem(messageOf(error)));
  }

  const groups = new Map<string, Conversation[]>();
  for (const item of items) {
    const group = ageGroup(item.updated_at);
    groups.set(group, [...(groups.get(group) ?? []), item]);
  }
  return (
    <section aria-label="Conversations" className="mt-3 flex min-h-0 flex-1 flex-col">
      <div className="relative mx-3">
        <label htmlFor={searchId} className="sr-only">
          Search conversations
        </label>
        <Search className="pointer-events-none absolute left-2.5 top-2.5 size-4 text-ink-faint" aria-hidden />
        <input
          id={searchId}
          type="search"
          value={question}
          onChange={(event) => setQuestion(event.target.value)}
          placeholder="Search conversations"
          className="h-9 w-full rounded-lg border border-transparent bg-ink/5 pl-8.5 pr-3 text-base placeholder:text-ink-faint hover:border-line focus-visible:border-accent focus-visible:outline-0 md:text-sm"
        />
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto px-2 pb-4 pt-1">
        {problem && (
          <p role="alert" className="mx-2.5 mt-3 text-sm text-danger">
            {problem}
          </p>
        )}
        {state === "failed" && (
          <div className="mx-2.5 mt-4 text-sm text-ink-soft">
            <p>{failure}</p>
            <Button look="outline" className="mt-3 h-8" onClick={() => void conversations.load()}>
              Try again
            </Button>
          </div>
        )}
        {state === "ready" && items.length === 0 && (
          <p className="mx-2.5 mt-4 text-sm text-ink-faint text-pretty">
            {search ? `Nothing about “${search}”.` : "Your conversations will be listed here."}
          </p>
        )}
        {[...groups].map(([group, members]) => (
          <div key={group} className="mt-4">
            <h2 className="px-2.5 pb-1 text-xs font-medium text-ink-faint">{group}</h2>
            <ul>
              {members.map((conversation) => (
                <li key={conversation.id}>
                  {renaming === conversation.id ? (
                    <RenameBox conversation={conversation} onDone={(title) => void rename(conversation, title)} />
                  ) : (
                    <Row
                      conversation={conversation}
                      current={path === `/chat/${conversation.id}`}
                      onNavigate={onNavigate}
                      onRename={() => setRenaming(conversation.id)}
                      onDelete={() => setDeleting(conversation)}
                    />
                  )}
                </li>
              ))}
            </ul>
          </div>
        ))}
        {nextCursor && (
          <Button look="quiet" className="mt-2 w-full" onClick={() => void conversations.load({ more: true })}>
            Show older
          </Button>
        )}
      </div>
      <ConfirmDialog
        open={deleting !== null}
        title="Delete this conversation?"
        explanation={`“${deleting ? shownTitle(deleting) : ""}” and all its messages will be gone. Tasks that came out of it stay.`}
        confirmLabel="Delete"
        onConfirm={() => deleting && void remove(deleting)}
        onClose={() => setDeleting(null)}
      />
    </section>
  );
}

type RowProperties = {
  conversation: Conversation;
  current: boolean;
  onNavigate: () => void;
  onRename: () => void;
  onDelete: () => void;
};

function Row({ conversation, current, onNavigate, onRename, onDelete }: RowProperties) {
  const title = shownTitle(conversation);
  return (
    <div
      className={`group relative flex items-center rounded-lg hover:bg-ink/5 ${current ? "bg-accent-soft hover:bg-accent-soft" : ""}`}
    >
      <Link
        href={`/chat/${conversation.id}`}
        onClick={onNavigate}
        aria-current={current ? "page" : undefined}
        className="min-w-0 flex-1 truncate rounded-lg px-2.5 py-2 text-sm text-ink-soft aria-[current]:text-ink group-hover:text-ink"
      >
        {title}
      </Link>
      <span className="hidden pr-1 group-focus-within:flex group-hover:flex max-lg:flex">
        <IconButton small label={`Rename “${title}”`} onClick={onRename}>
          <Pencil aria-hidden />
        </IconButton>
        <IconButton small label={`Delete “${title}”`} onClick={onDelete}>
          <Trash2 aria-hidden />
        </IconButton>
      </span>
    </div>
  );
}

function RenameBox({ conversation, onDone }: { conversation: Conversation; onDone: (title: string) => void }) {
  const [title, setTitle] = useState(conversation.title);
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => box.current?.select(), []);
  return (
    <form
      className="flex items-center gap-1 py-0.5"
      onSubmit={(event) => {
        event.preventDefault();
        onDone(title);
      }}
    >
      <input
        ref={box}
        aria-label="Title of the conversation"
        value={title}
        maxLength={200}
        autoFocus
        onChange={(event) => setTitle(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          onDone(conversation.title);
        }}
        onBlur={() => onDone(title)}
        className="h-8 min-w-0 flex-1 rounded-md border border-accent bg-surface px-2 text-base md:text-sm"
      />
      <IconButton small label="Keep the old title" onMouseDown={(event) => event.preventDefault()} onClick={() => onDone(conversation.title)}>
        <X aria-hidden />
      </IconButton>
    </form>
  );
}
