"use client";

import { Search, X } from "lucide-react";
import { useEffect, useState } from "react";
import { tasks, type TaskFilter } from "@/lib/client/tasks";

const states = [
  { value: "open", label: "Open" },
  { value: "done", label: "Done" },
  { value: "all", label: "All" },
] as const;

const orders = [
  { value: "position", label: "My order" },
  { value: "due", label: "Due date" },
  { value: "-created", label: "Newest" },
  { value: "title", label: "Title" },
];

/** Which tasks are shown, and in what order. */
export function TaskFilters({ filter }: { filter: TaskFilter }) {
  const [question, setQuestion] = useState(filter.search);
  useEffect(() => {
    if (question === tasks.get().filter.search) return;
    const timer = setTimeout(() => void tasks.load({ search: question }), 200);
    return () => clearTimeout(timer);
  }, [question]);
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
      <fieldset className="inline-flex rounded-lg border border-line bg-sunken p-0.5">
        <legend className="sr-only">Show</legend>
        {states.map(({ value, label }) => (
          <label
            key={value}
            className="relative inline-flex h-8 cursor-pointer items-center rounded-md px-3 text-sm text-ink-soft hover:text-ink has-checked:bg-surface has-checked:font-medium has-checked:text-ink has-checked:shadow-sm has-focus-visible:outline-2 has-focus-visible:outline-accent"
          >
            <input
              type="radio"
              name="task-state"
              value={value}
              checked={filter.status === value}
              onChange={() => void tasks.load({ status: value })}
              className="absolute inset-0 cursor-pointer appearance-none opacity-0"
            />
            {label}
          </label>
        ))}
      </fieldset>
      {filter.tag && (
        <button
          type="button"
          onClick={() => void tasks.load({ tag: "" })}
          className="inline-flex h-8 items-center gap-1.5 rounded-full bg-accent-soft px-3 text-sm"
        >
          #{filter.tag} <X className="size-3.5" aria-hidden />
          <span className="sr-only">Show all tags again</span>
        </button>
      )}
      <div className="relative min-w-36 flex-1 max-sm:order-last max-sm:basis-full">
        <label htmlFor="task-search" className="sr-only">
          Search tasks
        </label>
        <Search className="pointer-events-none absolute left-2.5 top-2.5 size-4 text-ink-faint" aria-hidden />
        <input
          id="task-search"
          type="search"
          value={question}
          onChange={(event) => setQuestion(event.target.value)}
          placeholder="Search tasks"
          className="h-9 w-full rounded-lg border border-transparent bg-ink/5 pl-8.5 pr-3 text-base placeholder:text-ink-faint hover:border-line focus-visible:border-accent focus-visible:outline-0 md:text-sm"
        />
      </div>
      <label htmlFor="task-order" className="sr-only">
        Order
      </label>
      <select
        id="task-order"
        value={filter.sort}
        onChange={(event) => void tasks.load({ sort: event.target.value })}
        className="ml-auto h-9 rounded-lg border border-transparent bg-ink/5 px-2.5 text-sm text-ink-soft hover:border-line"
      >
        {orders.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </div>
  );
}
