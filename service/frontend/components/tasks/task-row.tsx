"use client";

import { Check, ChevronDown, GripVertical } from "lucide-react";
import { useEffect, useRef, type HTMLAttributes, type KeyboardEvent } from "react";
import { DueBadge } from "@/components/tasks/due-badge";
import { TaskDetails } from "@/components/tasks/task-details";
import type { Task } from "@/lib/client/types";
import type { TaskChange } from "@/lib/client/tasks";

type RowProperties = {
  task: Task;
  index: number;
  count: number;
  open: boolean;
  revealed: boolean;
  ordered: boolean;
  dragged: boolean;
  handle: HTMLAttributes<HTMLElement>;
  onToggle: () => void;
  onChange: (change: TaskChange) => Promise<boolean>;
  onMove: (place: number) => void;
  onDelete: () => void;
  onTag: (tag: string) => void;
};

/** One task: tick, title, tags, due date; opened, everything about it can be changed. */
export function TaskRow(properties: RowProperties) {
  const { task, index, count, open, revealed, ordered, dragged, handle, onToggle, onChange, onMove, onDelete, onTag } = properties;
  const row = useRef<HTMLLIElement>(null);

  useEffect(() => {
    if (revealed) row.current?.scrollIntoView({ block: "center" });
  }, [revealed]);

  function onHandleKey(event: KeyboardEvent<HTMLElement>) {
    const steps: Record<string, number> = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: count - 1 };
    const place = steps[event.key];
    if (place === undefined) return;
    event.preventDefault();
    if (place >= 0 && place < count && place !== index) onMove(place);
  }

  return (
    <li
      ref={row}
      data-task={task.id}
      className={`group border-b border-line last:border-b-0 ${dragged ? "relative z-10 bg-accent-soft" : revealed ? "bg-accent-soft/60" : ""}`}
    >
      <div className="flex items-center gap-1 py-1 pl-1 pr-2">
        {ordered ? (
          <button
            type="button"
            aria-label={`Move “${task.title}”: place ${index + 1} of ${count}`}
            title="Drag, or press ↑ and ↓"
            aria-describedby="order-hint"
            data-handle
            onKeyDown={onHandleKey}
            {...handle}
            className="grid h-9 w-6 shrink-0 cursor-grab touch-none place-items-center rounded text-ink-faint opacity-45 hover:opacity-100 focus-visible:opacity-100 active:cursor-grabbing group-hover:opacity-100"
          >
            <GripVertical className="size-4" aria-hidden />
          </button>
        ) : (
          <span className="w-2" />
        )}
        <label className="relative grid size-9 shrink-0 cursor-pointer place-items-center">
          <input
            type="checkbox"
            checked={task.done}
            onChange={() => void onChange({ done: !task.done })}
            aria-label={`Done: ${task.title}`}
            className="peer size-5 cursor-pointer appearance-none rounded-full border-[1.5px] border-edge checked:border-accent checked:bg-accent hover:border-accent"
          />
          <Check className="pointer-events-none absolute size-3 text-accent-ink opacity-0 peer-checked:opacity-100" strokeWidth={3.5} aria-hidden />
        </label>
        <button
          type="button"
          aria-expanded={open}
          onClick={onToggle}
          className="flex min-h-10 min-w-0 flex-1 items-center gap-3 rounded-md px-1.5 py-1.5 text-left"
        >
          <span className={`min-w-0 flex-1 [overflow-wrap:anywhere] ${task.done ? "text-ink-faint line-through" : ""}`}>{task.title}</span>
          {task.due_on && !task.done && <DueBadge day={task.due_on} />}
          <ChevronDown className={`size-4 shrink-0 text-ink-faint transition-transform ${open ? "rotate-180" : ""}`} aria-hidden />
        </button>
      </div>
      {task.tags.length > 0 && !open && (
        <ul aria-label={`Tags of ${task.title}`} className={`-mt-1 flex flex-wrap gap-1 pb-2 ${ordered ? "pl-[4.6rem]" : "pl-[3.6rem]"}`}>
          {task.tags.map((tag) => (
            <li key={tag}>
              <button
                type="button"
                onClick={() => onTag(tag)}
                className="h-6 rounded-full bg-ink/5 px-2.5 text-xs text-ink-soft hover:bg-ink/10 hover:text-ink"
              >
                <span className="sr-only">Only tag </span>#{tag}
              </button>
            </li>
          ))}
        </ul>
      )}
      {open && (
        <TaskDetails
          task={task}
          onChange={onChange}
          onDelete={onDelete}
          onClose={onToggle}
          {...(ordered && { onMoveUp: index > 0 ? () => onMove(index - 1) : null, onMoveDown: index < count - 1 ? () => onMove(index + 1) : null })}
        />
      )}
    </li>
  );
}
