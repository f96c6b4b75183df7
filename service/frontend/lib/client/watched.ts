const name = (messageId: string) => `watched:${messageId}`;

/** Notes that this tab reads an answer, so that a reload can have it written on; and that it has ended. */
export function noteWatched(messageId: string, ended: boolean): void {
  try {
    if (ended) sessionStorage.removeItem(name(messageId));
    else sessionStorage.setItem(name(messageId), "yes");
  } catch {
    // Without storage a reload in mid-answer may find the answer interrupted.
  }
}

/** Whether this tab was reading that answer when the page went. */
export function wasWatched(messageId: string): boolean {
  try {
    return sessionStorage.getItem(name(messageId)) !== null;
  } catch {
    return false;
  }
}
