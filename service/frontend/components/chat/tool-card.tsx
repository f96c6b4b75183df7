"use client";

import { ArrowUpRight, Check, CircleAlert, CircleHelp, ListChecks, Pencil, Plus, Trash2, Undo2 } from "lucide-react";
import Link from "next/link";
import { useState, type ComponentType } from "react";
import { DueBadge } from "@/components/tasks/due-badge";
import { call, messageOf } from "@/lib/client/api";
import type { Task, ToolPart } from "@/lib/client/types";

const shownTasks = 6;

const looks: Record<string, { title: string; Icon: ComponentType<{ className?: string; strokeWidth?: number }> }> = {
  add_task: { title: "Task added", Icon: Plus },
  update_task: { title: "Task changed", Icon: Pencil },
  complete_task: { title: "Task done", Icon: Check },
  delete_task: { title: "Task deleted", Icon: Trash2 },
  list_tasks: { title: "Looked at your tasks", Icon: ListChecks },
  help: { title: "Commands", Icon: CircleHelp },
};

function TaskLine({ task }: { task: Task }) {
  return (
    <li>
      <Link
        href={`/tasks?task=${encodeURIComponent(task.id)}`}
        className="group flex items-center gap-3 rounded-lg px-3.5 py-2 text-[0.95rem] hover:bg-ink/4"
      >
        <span className={`min-w-0 flex-1 [overflow-wrap:anywhere] ${task.done ? "text-ink-faint line-through" : "font-medium"}`}>{task.title}</span>
        {task.due_on && !task.done && <DueBadge day={task.due_on} />}
        <ArrowUpRight className="size-4 shrink-0 text-ink-faint group-hover:text-ink" aria-hidden />
      </Link>
    </li>
  );
}

/** What the model, or a slash command, did to the tasks: always shown, linked, and taken back where it can be. */
export function ToolCard({ part }: { part: ToolPart }) {
  const [undone, setUndone] = useState<"no" | "busy" | "yes">("no");
  const [failure, setFailure] = useState<string | null>(null);
  const { title, Icon } = looks[part.name] ?? { title: part.name.replaceAll("_", " "), Icon: Check };

  async function undo() {
    if (!part.undo) return;
    setUndone("busy");
    try {
      await call(part.undo.path, { method: part.undo.method, ...(part.undo.body != null && { body: part.undo.body }) });
      setUndone("yes");
      setFailure(null);
    } catch (error) {
      setUndone("no");
      setFailure(messageOf(error));
    }
  }

  // With one task the line below says which; the caption need not repeat its title.
  const caption = part.ok && part.tasks.length === 1 ? title : part.summary || title;
  const StateIcon = part.ok ? Icon : CircleAlert;
  return (
    <section
      aria-label={part.ok ? title : "A task change failed"}
      data-tool={part.name}
      className={`overflow-hidden rounded-xl border bg-surface ${part.ok ? "border-line" : "border-danger/40"}`}
    >
      <div className="flex min-h-11 items-center gap-3 px-3.5 py-1.5 text-sm">
        <span
          className={`grid size-6 shrink-0 place-items-center rounded-full ${part.ok ? "bg-accent text-accent-ink" : "bg-danger-soft text-danger"}`}
        >
          <StateIcon className="size-3.5" strokeWidth={2.5} aria-hidden />
        </span>
        <span className="min-w-0 flex-1 text-ink-soft">{undone === "yes" ? "Taken back" : caption}</span>
        {part.undo && undone !== "yes" && (
          <button
            type="button"
            onClick={() => void undo()}
            disabled={undone === "busy"}
            className="inline-flex h-8 items-center gap-1.5 rounded-md px-2.5 text-ink-soft hover:bg-ink/7 hover:text-ink disabled:opacity-50"
          >
            <Undo2 className="size-3.5" aria-hidden /> {part.undo.label}
          </button>
        )}
      </div>
      {failure && (
        <p role="alert" className="px-3.5 pb-2.5 text-sm text-danger">
          {failure}
        </p>
      )}
      {undone !== "yes" && part.tasks.length > 0 && (
        <ul className="border-t border-line p-1">
          {part.tasks.slice(0, shownTasks).map((task) => (
            <TaskLine key={task.id} task={task} />
          ))}
          {part.tasks.length > shownTasks && (
            <li>
              <Link href="/tasks" className="block rounded-lg px-3.5 py-2 text-sm text-accent hover:bg-ink/4">
                {part.tasks.length - shownTasks} more on the tasks page
              </Link>
            </li>
          )}
        </ul>
      )}
    </section>
  );
}
