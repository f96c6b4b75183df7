"use client";

import { ArrowUp, Square } from "lucide-react";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { commandsMatching, useCommands } from "@/components/chat/commands";
import { keepDraft, readDraft } from "@/lib/client/drafts";

type ComposerProperties = {
  threadKey: string;
  busy: boolean;
  canStop: boolean;
  /** A text that could not be sent, given back to be sent again. */
  returned: string | null;
  onSend: (text: string) => void;
  onStop: () => void;
  onEditLast: () => void;
};

/** Where messages are written. Enter sends, Shift+Enter breaks the line, ↑ in the empty box edits the last message. */
export function Composer({ threadKey, busy, canStop, returned, onSend, onStop, onEditLast }: ComposerProperties) {
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const [dismissed, setDismissed] = useState(false);
  const box = useRef<HTMLTextAreaElement>(null);
  const commands = useCommands();
  const matching = dismissed ? [] : commandsMatching(commands, text);
  const current = matching[Math.min(chosen, matching.length - 1)];

  useEffect(() => {
    setText(readDraft(threadKey));
    if (matchMedia("(min-width: 64rem)").matches) box.current?.focus();
  }, [threadKey]);

  useEffect(() => {
    if (returned) setText((now) => now || returned);
  }, [returned]);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight, 220)}px`;
  }, [text]);

  function write(next: string) {
    setText(next);
    setChosen(0);
    setDismissed(false);
    keepDraft(threadKey, next);
  }

  function send() {
    if (!text.trim() || busy) return;
    onSend(text.trim());
    write("");
  }

  function onKeyDown(event: React.KeyboardEvent<HTMLTextAreaElement>) {
    if (event.nativeEvent.isComposing) return;
    if (current && (event.key === "Tab" || (event.key === "Enter" && text !== current.command))) {
      event.preventDefault();
      write(`${current.command} `);
    } else if (current && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      setChosen((Math.min(chosen, matching.length - 1) + (event.key === "ArrowDown" ? 1 : matching.length - 1)) % matching.length);
    } else if (current && event.key === "Escape") {
      event.stopPropagation();
      setDismissed(true);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === "ArrowUp" && text === "" && !busy) {
      event.preventDefault();
      onEditLast();
    }
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      className="relative"
    >
      {matching.length > 0 && (
        <ul
          id="commands"
          role="listbox"
          aria-label="Commands"
          className="absolute inset-x-0 bottom-full z-10 mb-2 overflow-hidden rounded-xl border border-line bg-surface p-1.5 shadow-lift"
        >
          {matching.map((command) => (
            <li
              key={command.command}
              id={`command-${command.command.slice(1)}`}
              role="option"
              aria-selected={command === current}
              onMouseDown={(event) => {
                event.preventDefault();
                write(`${command.command} `);
              }}
              className="flex cursor-pointer flex-wrap items-baseline gap-x-4 rounded-lg px-3 py-2 text-sm aria-selected:bg-accent-soft"
            >
              <span className="font-mono text-[0.84rem] font-medium">{command.command}</span>
              <span className="text-ink-soft">{command.description}</span>
              <span className="ml-auto font-mono text-xs text-ink-soft max-sm:hidden">{command.usage}</span>
            </li>
          ))}
        </ul>
      )}
      <div className="flex items-end gap-2 rounded-2xl border border-edge bg-surface py-1.5 pl-4 pr-1.5 shadow-lift focus-within:border-accent focus-within:outline-1 focus-within:outline-accent">
        <label htmlFor="composer" className="sr-only">
          Message
        </label>
        <textarea
          id="composer"
          ref={box}
          rows={1}
          value={text}
          maxLength={16000}
          placeholder="Write a message, or / for commands"
          aria-autocomplete="list"
          aria-haspopup="listbox"
          aria-controls={matching.length > 0 ? "commands" : undefined}
          aria-activedescendant={current ? `command-${current.command.slice(1)}` : undefined}
          onChange={(event) => write(event.target.value)}
          onKeyDown={onKeyDown}
          className="max-h-[220px] min-w-0 flex-1 resize-none self-center bg-transparent py-2 leading-6 placeholder:text-ink-faint focus-visible:outline-0"
        />
        {canStop ? (
          <button
            type="button"
            aria-label="Stop the answer"
            title="Stop (Esc)"
            onClick={onStop}
            className="grid size-10 shrink-0 place-items-center rounded-xl bg-ink text-paper hover:opacity-85"
          >
            <Square className="size-3.5 fill-current" aria-hidden />
          </button>
        ) : (
          <button
            type="submit"
            aria-label="Send"
            title="Send (Enter)"
            disabled={!text.trim() || busy}
            className="grid size-10 shrink-0 place-items-center rounded-xl bg-accent text-accent-ink transition-colors enabled:hover:bg-accent-strong disabled:bg-ink/8 disabled:text-ink-faint"
          >
            <ArrowUp className="size-5" aria-hidden />
          </button>
        )}
      </div>
    </form>
  );
}
