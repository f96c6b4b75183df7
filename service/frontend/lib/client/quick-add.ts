import { isoDay } from "./dates";

const weekdays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/** The day a word means, as YYYY-MM-DD: today, tomorrow, a weekday (the next one), or a date. Null for anything else. */
export function dayFromWord(word: string, now: Date = new Date()): string | null {
  const lower = word.toLowerCase();
  if (/^\d{4}-\d{2}-\d{2}$/.test(lower)) return lower;
  const ahead = (days: number) => isoDay(new Date(now.getFullYear(), now.getMonth(), now.getDate() + days));
  if (lower === "today") return ahead(0);
  if (lower === "tomorrow") return ahead(1);
  const weekday = lower.length >= 3 ? weekdays.findIndex((name) => name.startsWith(lower)) : -1;
  if (weekday < 0) return null;
  return ahead((weekday - now.getDay() + 7) % 7 || 7);
}

/** Takes `#tag` and `due:day` out of a line; what remains is the title. */
export function parseQuickAdd(line: string, now: Date = new Date()): { title: string; tags: string[]; due_on: string | null } {
  const tags: string[] = [];
  let due: string | null = null;
  const title = line
    .split(/\s+/)
    .filter((word) => {
      const tag = /^#([\p{L}\d_-]{1,32})$/u.exec(word)?.[1];
      if (tag) tags.push(tag.toLowerCase());
      const day = /^due:(\S+)$/i.exec(word)?.[1];
      const meant = day ? dayFromWord(day, now) : null;
      if (meant) due = meant;
      return !tag && !meant;
    })
    .join(" ");
  return { title, tags: [...new Set(tags)], due_on: due };
}
