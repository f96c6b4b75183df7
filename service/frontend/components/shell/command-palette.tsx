"use client";

import { CornerDownLeft, ListChecks, MessageSquareText, Moon, Search, SquarePen, UserRound } from "lucide-react";
import { useRouter } from "next/navigation";
import { useEffect, useId, useState, type ComponentType } from "react";
import { Dialog } from "@/components/ui/dialog";
import { call } from "@/lib/client/api";
import { conversations } from "@/lib/client/conversations";
import { shownTitle } from "@/lib/client/titles";
import type { Conversation, Page } from "@/lib/client/types";
import { applyTheme } from "@/lib/theme";

type Entry = { id: string; label: string; kind: string; Icon: ComponentType<{ className?: string }>; run: () => void };

type PaletteProperties = { open: boolean; onClose: () => void; onStartNew: () => void };

/** ⌘K: everything the keyboard can reach from anywhere, conversations by title or content included. */
export function CommandPalette(properties: PaletteProperties) {
  return (
    <Dialog
      open={properties.open}
      onClose={properties.onClose}
      label="Search and commands"
      className="mt-[12vh] w-[min(36rem,calc(100vw-2rem))]"
    >
      <Palette {...properties} />
    </Dialog>
  );
}

function Palette({ onClose, onStartNew }: PaletteProperties) {
  const [question, setQuestion] = useState("");
  const [chosen, setChosen] = useState(0);
  const [found, setFound] = useState<Conversation[]>(() => conversations.get().items.slice(0, 6));
  const router = useRouter();
  const listId = useId();

  useEffect(() => {
    if (!question) return;
    const controller = new AbortController();
    const timer = setTimeout(() => {
      call<Page<Conversation>>(`/api/conversations?limit=8&search=${encodeURIComponent(question)}`, { signal: controller.signal }).then(
        ({ items }) => setFound(items),
        () => undefined,
      );
    }, 150);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [question]);

  const go = (address: string) => () => router.push(address);
  const commands: Entry[] = [
    { id: "new", label: "New chat", kind: "", Icon: SquarePen, run: onStartNew },
    { id: "tasks", label: "Go to tasks", kind: "", Icon: ListChecks, run: go("/tasks") },
    { id: "account", label: "Go to account", kind: "", Icon: UserRound, run: go("/account") },
    {
      id: "theme",
      label: "Switch between light and dark",
      kind: "",
      Icon: Moon,
      run: () => applyTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"),
    },
  ];
  const entries: Entry[] = [
    ...commands.filter(({ label }) => label.toLowerCase().includes(question.toLowerCase())),
    ...found.map((conversation) => ({
      id: conversation.id,
      label: shownTitle(conversation),
      kind: "Conversation",
      Icon: MessageSquareText,
      run: go(`/chat/${conversation.id}`),
    })),
  ];
  const current = Math.min(chosen, entries.length - 1);

  function run(entry: Entry | undefined) {
    if (!entry) return;
    onClose();
    entry.run();
  }

  return (
    <div className="flex max-h-[60vh] flex-col">
      <div className="flex items-center gap-3 border-b border-line px-4">
        <Search className="size-4 shrink-0 text-ink-faint" aria-hidden />
        <input
          autoFocus
          role="combobox"
          aria-expanded
          aria-controls={listId}
          aria-activedescendant={entries[current] ? `${listId}-${entries[current].id}` : undefined}
          aria-label="Search conversations and commands"
          placeholder="Find a conversation, or go somewhere"
          value={question}
          onChange={(event) => {
            setQuestion(event.target.value);
            setChosen(0);
            if (!event.target.value) setFound(conversations.get().items.slice(0, 6));
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter") run(entries[current]);
            else if (event.key === "ArrowDown") setChosen(Math.min(current + 1, entries.length - 1));
            else if (event.key === "ArrowUp") setChosen(Math.max(current - 1, 0));
            else return;
            event.preventDefault();
          }}
          className="h-13 min-w-0 flex-1 bg-transparent text-base placeholder:text-ink-faint focus-visible:outline-0"
        />
      </div>
      <ul id={listId} role="listbox" aria-label="Results" className="min-h-0 overflow-y-auto p-2">
        {entries.map((entry, index) => (
          <li
            key={entry.id}
            id={`${listId}-${entry.id}`}
            role="option"
            aria-selected={index === current}
            ref={(element) => {
              if (index === current) element?.scrollIntoView({ block: "nearest" });
            }}
            onMouseMove={() => setChosen(index)}
            onClick={() => run(entry)}
            className="flex cursor-pointer items-center gap-3 rounded-lg px-3 py-2.5 text-sm aria-selected:bg-accent-soft"
          >
            <entry.Icon className="size-4 shrink-0 text-ink-faint" aria-hidden />
            <span className="truncate">{entry.label}</span>
            <span className="ml-auto shrink-0 text-xs text-ink-soft">{entry.kind}</span>
            {index === current && <CornerDownLeft className="size-3.5 shrink-0 text-ink-soft" aria-hidden />}
          </li>
        ))}
      </ul>
      {entries.length === 0 && <p className="px-5 pb-5 pt-2 text-sm text-ink-faint">Nothing about “{question}”.</p>}
    </div>
  );
}
