import { call, messageOf } from "./api";
import { Store } from "./store";
import type { Conversation, Page } from "./types";

type List = {
  items: Conversation[];
  nextCursor: string | null;
  search: string;
  state: "loading" | "ready" | "failed";
  failure: string | null;
};

class ConversationStore extends Store<List> {
  private asked = 0;

  /** Loads the newest conversations that match the search, or with `more` the next older ones. */
  async load(options: { search?: string; more?: boolean } = {}): Promise<void> {
    const search = options.search ?? this.get().search;
    const cursor = options.more ? this.get().nextCursor : null;
    const mine = ++this.asked;
    this.set({ search, failure: null, ...(this.get().items.length === 0 && { state: "loading" as const }) });
    const query = new URLSearchParams({ limit: "30", ...(search && { search }), ...(cursor && { cursor }) });
    try {
      const page = await call<Page<Conversation>>(`/api/conversations?${query}`);
      if (mine !== this.asked) return; // a later question has overtaken this one
      const items = options.more ? [...this.get().items, ...page.items] : page.items;
      this.set({ items, nextCursor: page.next_cursor, state: "ready" });
    } catch (error) {
      if (mine === this.asked) this.set({ state: "failed", failure: messageOf(error) });
    }
  }

  /** Puts a conversation that was just talked in at the top. */
  touch(conversation: Conversation): void {
    this.set({ items: [conversation, ...this.get().items.filter(({ id }) => id !== conversation.id)] });
  }

  async rename(id: string, title: string): Promise<void> {
    const before = this.get().items;
    this.set({ items: before.map((item) => (item.id === id ? { ...item, title } : item)) });
    try {
      const changed = await call<Conversation>(`/api/conversations/${id}`, { method: "PATCH", body: { title } });
      this.set({ items: this.get().items.map((item) => (item.id === id ? changed : item)) });
    } catch (error) {
      this.set({ items: before });
      throw error;
    }
  }

  async remove(id: string): Promise<void> {
    await call(`/api/conversations/${id}`, { method: "DELETE" });
    this.set({ items: this.get().items.filter((item) => item.id !== id) });
  }
}

export const conversations = new ConversationStore({
  items: [],
  nextCursor: null,
  search: "",
  state: "loading",
  failure: null,
});
