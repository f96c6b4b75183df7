import type { Conversation } from "./types";

/** A conversation's title for people: one that began with a slash command is known by what came after it. */
export function shownTitle(conversation: Pick<Conversation, "title">): string {
  const plain = conversation.title.replace(/^\/\w+\s+/, "").trim();
  return plain || conversation.title || "New conversation";
}
