"use client";

import { CalendarDays, Plus } from "lucide-react";
import { useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import { parseQuickAdd } from "@/lib/client/quick-add";
import { messageOf } from "@/lib/client/api";
import { dueLabel } from "@/lib/client/dates";
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
        <DueInput day={day} onChange={setDay} />
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

/** The browser's own date input, shown as one quiet word until somebody is in it. */
function DueInput({ day, onChange }: { day: string; onChange: (day: string) => void }) {
  return (
    <label className="group relative inline-flex h-9 items-center rounded-lg text-sm text-ink-soft hover:bg-ink/5 has-focus-visible:bg-ink/5">
      <span className="sr-only">Due date</span>
      <span aria-hidden className={`inline-flex items-center gap-2 px-2.5 group-focus-within:invisible ${day ? "font-medium text-ink" : ""}`}>
        <CalendarDays className="size-4" />
        {day ? dueLabel(day) : "Due"}
      </span>
      <input
        id="new-task-due"
        type="date"
        value={day}
        onChange={(event) => onChange(event.target.value)}
        onClick={(event) => event.currentTarget.showPicker?.()}
        className="absolute right-0 top-0 h-9 w-full min-w-0 cursor-pointer rounded-lg bg-transparent px-2 text-sm opacity-0 group-focus-within:w-40 group-focus-within:bg-surface group-focus-within:opacity-100"
      />
    </label>
  );
}
