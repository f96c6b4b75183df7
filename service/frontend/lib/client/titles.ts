import type { Conversation } from "./types";

/** A conversation's title for people: one that began with a slash command is known by what came after it. */
export function shownTitle(conversation: Pick<Conversation, "title">): string {
  const { title } = conversation;
  if (!title.startsWith("/")) return title || "New conversation";
  const plain = title.replace(/^\/\w+\s*/, "").replace(/(^|\s)(#|due:)\S*/g, "");
  return plain.trim() || title;
}
