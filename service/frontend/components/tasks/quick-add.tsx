"use client";

import { Plus } from "lucide-react";
import { useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import { parseQuickAdd } from "@/lib/client/quick-add";
import { messageOf } from "@/lib/client/api";
import { tasks } from "@/lib/client/tasks";

/** One line makes a task: `Buy milk #home due:friday`, or the date from the calendar. */
export function QuickAdd({ onAdded }: { onAdded: (title: string) => void }) {
  const [line, setLine] = useState("");
  const [day, setDay] = useState("");
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const box = useRef<HTMLInputElement>(null);

  async function add() {
    const parsed = parseQuickAdd(line);
    if (!parsed.title || busy) return;
    setBusy(true);
    try {
      await tasks.add({ ...parsed, due_on: parsed.due_on ?? (day || null) });
      setLine("");
      setDay("");
      setFailure(null);
      onAdded(parsed.title);
    } catch (error) {
      setFailure(messageOf(error));
    } finally {
      setBusy(false);
      box.current?.focus();
    }
  }

  return (
    <form
      aria-label="Add a task"
      onSubmit={(event) => {
        event.preventDefault();
        void add();
      }}
    >
      <div className="flex flex-wrap items-center gap-x-2 rounded-xl border border-edge bg-surface py-1 pl-3 pr-1 shadow-lift focus-within:border-accent focus-within:outline-1 focus-within:outline-accent">
        <Plus className="size-4 shrink-0 text-ink-faint" aria-hidden />
        <label htmlFor="new-task" className="sr-only">
          New task
        </label>
        <input
          id="new-task"
          ref={box}
          value={line}
          maxLength={240}
          onChange={(event) => setLine(event.target.value)}
          placeholder="Add a task"
          aria-describedby="new-task-hint"
          className="h-10 min-w-40 flex-1 bg-transparent text-base placeholder:text-ink-faint focus-visible:outline-0"
        />
        <label htmlFor="new-task-due" className="sr-only">
          Due date
        </label>
        <input
          id="new-task-due"
          type="date"
          value={day}
          onChange={(event) => setDay(event.target.value)}
          className="h-9 rounded-lg bg-transparent px-2 text-sm text-ink-soft max-sm:order-last max-sm:w-full"
        />
        <Button type="submit" disabled={!line.trim() || busy}>
          Add
        </Button>
      </div>
      {failure ? (
        <p role="alert" className="mt-2 px-1 text-sm text-danger">
          {failure}
        </p>
      ) : (
        <p id="new-task-hint" className="mt-2 px-1 text-xs text-ink-faint">
          <code className="font-mono">#tag</code> and <code className="font-mono">due:friday</code> work in the line.
        </p>
      )}
    </form>
  );
}
