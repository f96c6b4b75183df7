"use client";

import { CheckCheck, ListTodo, SearchX } from "lucide-react";
import { useEffect, useState } from "react";
import { QuickAdd } from "@/components/tasks/quick-add";
import { TaskFilters } from "@/components/tasks/task-filters";
import { TaskRow } from "@/components/tasks/task-row";
import { useReorder } from "@/components/tasks/use-reorder";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/dialog";
import { Notice } from "@/components/ui/notice";
import { messageOf } from "@/lib/client/api";
import { tasks, type TaskChange, type TaskFilter } from "@/lib/client/tasks";
import type { Task } from "@/lib/client/types";

function Nothing({ filter }: { filter: TaskFilter }) {
  const narrowed = Boolean(filter.search || filter.tag);
  const [Icon, title, text] = narrowed
    ? [SearchX, "Nothing matches", "Try fewer words, or another tag."]
    : filter.status === "done"
      ? [ListTodo, "Nothing done yet", "What you tick off moves here."]
      : [CheckCheck, "All clear", "Add something above, or mention it in the chat."];
  return (
    <div className="px-4 py-16 text-center">
      <Icon className="mx-auto size-8 text-ink-faint" strokeWidth={1.5} aria-hidden />
      <h2 className="mt-4 font-serif text-2xl font-medium tracking-tight">{title}</h2>
      <p className="mt-1.5 text-ink-soft">{text}</p>
    </div>
  );
}

function Loading() {
  return (
    <div role="status" aria-label="Loading tasks" className="animate-pulse space-y-px p-2">
      {[72, 48, 60].map((width) => (
        <div key={width} className="flex h-12 items-center gap-4 px-4">
          <div className="size-5 rounded-full bg-ink/6" />
          <div className={`h-4 rounded bg-ink/6 ${width > 70 ? "w-3/4" : width > 50 ? "w-3/5" : "w-1/2"}`} />
        </div>
      ))}
    </div>
  );
}

export function TasksPage() {
  const { items, nextCursor, filter, state, failure } = tasks.use();
  const [openTask, setOpenTask] = useState<string | null>(null);
  const [revealed, setRevealed] = useState<string | null>(null);
  const [deleting, setDeleting] = useState<Task | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [announcement, setAnnouncement] = useState("");
  const ordered = filter.sort === "position";

  useEffect(() => {
    const wanted = new URLSearchParams(location.search).get("task");
    tasks.load(wanted ? { status: "all", search: "", tag: "" } : {}).then(async () => {
      if (!wanted) return;
      try {
        await tasks.reveal(wanted);
        setRevealed(wanted);
      } catch {
        setProblem("That task is not there any more.");
      }
    }, () => undefined);
  }, []);

  async function attempt(action: () => Promise<unknown>, said: string): Promise<boolean> {
    try {
      await action();
      setProblem(null);
      setAnnouncement(said);
      return true;
    } catch (error) {
      setProblem(messageOf(error));
      return false;
    }
  }

  const change = (task: Task) => (changed: TaskChange) =>
    attempt(() => tasks.change(task, changed), "done" in changed ? `${task.title}: ${changed.done ? "done" : "open again"}` : "Saved");

  function move(id: string, place: number) {
    const task = items.find((item) => item.id === id);
    if (!task) return;
    void attempt(() => tasks.move(task, place), `${task.title}: place ${place + 1} of ${items.length}`).then(() => {
      // The row is another element now; the keyboard stays with the task.
      document.querySelector<HTMLElement>(`[data-task="${CSS.escape(id)}"] [data-handle]`)?.focus();
    });
  }

  const { list, dragged, handleFor, preview } = useReorder(move);
  const shown = preview(items);
  return (
    <div className="min-h-0 flex-1 overflow-y-auto" tabIndex={-1}>
      <div className="mx-auto w-full max-w-[46rem] px-4 pb-16 pt-6 sm:px-6 lg:pt-12">
        <h1 className="font-serif text-4xl font-medium tracking-[-0.02em]">Tasks</h1>
        <div className="mt-6">
          <QuickAdd onAdded={(title) => setAnnouncement(`Added: ${title}`)} />
        </div>
        <div className="mt-6">
          <TaskFilters filter={filter} />
        </div>
        {problem && (
          <div className="mt-4">
            <Notice>{problem}</Notice>
          </div>
        )}
        <p role="status" className="sr-only">
          {announcement}
        </p>
        <p id="order-hint" className="sr-only">
          Press the up and down arrow keys to move the task.
        </p>
        <div className="mt-4 overflow-hidden rounded-2xl border border-line bg-surface">
          {state === "failed" ? (
            <div className="p-8 text-center text-ink-soft">
              <p role="alert">{failure}</p>
              <Button look="outline" className="mt-4" onClick={() => void tasks.load()}>
                Try again
              </Button>
            </div>
          ) : state === "loading" ? (
            <Loading />
          ) : shown.length === 0 ? (
            <Nothing filter={filter} />
          ) : (
            <ul ref={list} aria-label="Tasks">
              {shown.map((task, index) => (
                <TaskRow
                  key={task.id}
                  task={task}
                  index={index}
                  count={shown.length}
                  open={openTask === task.id}
                  revealed={revealed === task.id}
                  ordered={ordered}
                  dragged={dragged === task.id}
                  handle={handleFor(task.id, index)}
                  onToggle={() => setOpenTask(openTask === task.id ? null : task.id)}
                  onChange={change(task)}
                  onMove={(place) => move(task.id, place)}
                  onDelete={() => setDeleting(task)}
                  onTag={(tag) => void tasks.load({ tag })}
                />
              ))}
            </ul>
          )}
        </div>
        {nextCursor && state === "ready" && (
          <Button look="quiet" className="mt-3 w-full" onClick={() => void tasks.load({}, true)}>
            Show more
          </Button>
        )}
      </div>
      <ConfirmDialog
        open={deleting !== null}
        title="Delete this task?"
        explanation={`“${deleting?.title ?? ""}” will be gone for good.`}
        confirmLabel="Delete"
        onConfirm={() => deleting && void attempt(() => tasks.remove(deleting), `Deleted: ${deleting.title}`)}
        onClose={() => setDeleting(null)}
      />
    </div>
  );
}
