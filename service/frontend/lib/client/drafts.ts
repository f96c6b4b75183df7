const name = (threadKey: string) => `draft:${threadKey}`;

/** What was being written in a conversation, kept for as long as the tab lives. */
export function readDraft(threadKey: string): string {
  try {
    return sessionStorage.getItem(name(threadKey)) ?? "";
  } catch {
    return "";
  }
}

export function keepDraft(threadKey: string, text: string): void {
  try {
    if (text) sessionStorage.setItem(name(threadKey), text);
    else sessionStorage.removeItem(name(threadKey));
  } catch {
    // Without storage a draft lives as long as the box it is written in.
  }
}

export function moveDraft(from: string, to: string): void {
  keepDraft(to, readDraft(from));
  keepDraft(from, "");
}
