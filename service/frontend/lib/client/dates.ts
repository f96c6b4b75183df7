const dayMilliseconds = 86_400_000;

/** A calendar day of this device as YYYY-MM-DD, the form the API uses for due dates. */
export function isoDay(date: Date): string {
  const pad = (number: number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

function startOfDay(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/** Whole days from today to a day given as YYYY-MM-DD; negative when it has passed. */
export function daysUntil(day: string, now: Date = new Date()): number {
  const [year, month, date] = day.split("-").map(Number);
  const then = new Date(year ?? 1970, (month ?? 1) - 1, date ?? 1);
  return Math.round((startOfDay(then) - startOfDay(now)) / dayMilliseconds);
}

/** A due date as people say it: Today, Tomorrow, Fri, 4 Mar. */
export function dueLabel(day: string, now: Date = new Date()): string {
  const days = daysUntil(day, now);
  if (days === 0) return "Today";
  if (days === 1) return "Tomorrow";
  if (days === -1) return "Yesterday";
  const [year, month, date] = day.split("-").map(Number);
  const then = new Date(year ?? 1970, (month ?? 1) - 1, date ?? 1);
  if (days > 1 && days < 7) return then.toLocaleDateString("en", { weekday: "long" });
  const sameYear = then.getFullYear() === now.getFullYear();
  return then.toLocaleDateString("en-GB", { day: "numeric", month: "short", ...(!sameYear && { year: "numeric" }) });
}

/** The heading a conversation of this age is listed under. */
export function ageGroup(time: string, now: Date = new Date()): string {
  const days = Math.round((startOfDay(now) - startOfDay(new Date(time))) / dayMilliseconds);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days < 7) return "This week";
  if (days < 31) return "This month";
  return new Date(time).toLocaleDateString("en", { month: "long", year: "numeric" });
}
