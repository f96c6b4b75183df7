"use client";

import { ArrowDown, ArrowUp, Trash2 } from "lucide-react";
import { useId, useState } from "react";
import { Button, IconButton } from "@/components/ui/button";
import { Field, inputLook } from "@/components/ui/field";
import type { Task } from "@/lib/client/types";
import type { TaskChange } from "@/lib/client/tasks";

type DetailsProperties = {
  task: Task;
  onChange: (change: TaskChange) => Promise<boolean>;
  onDelete: () => void;
  onClose: () => void;
  /** Undefined where the list is not in its own order; null at its ends. */
  onMoveUp?: (() => void) | null;
  onMoveDown?: (() => void) | null;
};

function tagsFrom(text: string): string[] {
  return [...new Set(text.split(/[,#]/).map((tag) => tag.trim().toLowerCase()))].filter(Boolean);
}

/** Everything about one task, to be changed and saved together. */
export function TaskDetails({ task, onChange, onDelete, onClose, onMoveUp, onMoveDown }: DetailsProperties) {
  const [title, setTitle] = useState(task.title);
  const [notes, setNotes] = useState(task.notes);
  const [day, setDay] = useState(task.due_on ?? "");
  const [tags, setTags] = useState(task.tags.join(", "));
  const notesId = useId();

  async function save() {
    const saved = await onChange({ title: title.trim(), notes, due_on: day || null, tags: tagsFrom(tags) });
    if (saved) onClose();
  }

  return (
    <form
      aria-label={`Details of ${task.title}`}
      onKeyDown={(event) => event.key === "Escape" && onClose()}
      onSubmit={(event) => {
        event.preventDefault();
        if (title.trim()) void save();
      }}
      className="grid gap-4 px-4 pb-4 pt-2 sm:grid-cols-2 sm:pl-11"
    >
      <Field className="sm:col-span-2" label="Title" value={title} maxLength={200} required onChange={(event) => setTitle(event.target.value)} />
      <Field label="Due" type="date" value={day} onChange={(event) => setDay(event.target.value)} />
      <Field label="Tags" value={tags} onChange={(event) => setTags(event.target.value)} placeholder="home, errands" />
      <div className="sm:col-span-2">
        <label htmlFor={notesId} className="mb-1.5 block text-sm font-medium">
          Notes
        </label>
        <textarea
          id={notesId}
          rows={3}
          value={notes}
          maxLength={10000}
          onChange={(event) => setNotes(event.target.value)}
          className={`${inputLook} resize-y py-2`}
        />
      </div>
      <div className="flex flex-wrap items-center gap-1 sm:col-span-2">
        {onMoveUp !== undefined && (
          <>
            <IconButton label="Move up" disabled={!onMoveUp} onClick={() => onMoveUp?.()}>
              <ArrowUp aria-hidden />
            </IconButton>
            <IconButton label="Move down" disabled={!onMoveDown} onClick={() => onMoveDown?.()}>
              <ArrowDown aria-hidden />
            </IconButton>
          </>
        )}
        <IconButton label={`Delete “${task.title}”`} onClick={onDelete} className="enabled:hover:text-danger">
          <Trash2 aria-hidden />
        </IconButton>
        <span className="ml-auto flex gap-2">
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={!title.trim()}>
            Save
          </Button>
        </span>
      </div>
    </form>
  );
}
