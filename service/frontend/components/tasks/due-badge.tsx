"use client";

import { CalendarDays } from "lucide-react";
import { daysUntil, dueLabel } from "@/lib/client/dates";

/** A due date in words; late and soon differ in wording and colour, never in colour alone. */
export function DueBadge({ day }: { day: string }) {
  const days = daysUntil(day);
  const look = days < 0 ? "bg-danger-soft text-danger" : days <= 1 ? "bg-notice-soft text-notice" : "bg-ink/5 text-ink-soft";
  return (
    <span className={`inline-flex h-6 shrink-0 items-center gap-1.5 rounded-full px-2.5 text-xs font-medium ${look}`}>
      <CalendarDays className="size-3" aria-hidden />
      <span className="sr-only">{days < 0 ? "Overdue since" : "Due"}</span>
      <time dateTime={day}>{dueLabel(day)}</time>
    </span>
  );
}
