import { ApiProblem, call, messageOf } from "./api";
import { Store } from "./store";
import type { Page, Task } from "./types";

export type TaskFilter = { status: "open" | "done" | "all"; search: string; tag: string; sort: string };
export type TaskChange = Partial<Pick<Task, "title" | "notes" | "due_on" | "tags" | "done">>;

type List = {
  items: Task[];
  nextCursor: string | null;
  filter: TaskFilter;
  state: "loading" | "ready" | "failed";
  failure: string | null;
};

class TaskStore extends Store<List> {
  private asked = 0;
  private readonly writing = new Set<Promise<unknown>>();

  /** Sends a change; lists asked for meanwhile wait for it, so that none shows what was before. */
  private write<Answer>(path: string, options: Parameters<typeof call>[1]): Promise<Answer> {
    const answer = call<Answer>(path, options);
    const done = answer.catch(() => undefined).finally(() => this.writing.delete(done));
    this.writing.add(done);
    return answer;
  }

  async load(change: Partial<TaskFilter> = {}, more = false): Promise<void> {
    const filter = { ...this.get().filter, ...change };
    const cursor = more ? this.get().nextCursor : null;
    const mine = ++this.asked;
    this.set({ filter, ...(this.get().state === "failed" && { state: "loading" as const }) });
    const query = new URLSearchParams({ status: filter.status, sort: filter.sort, limit: "50" });
    if (filter.search) query.set("search", filter.search);
    if (filter.tag) query.set("tag", filter.tag);
    if (cursor) query.set("cursor", cursor);
    try {
      await Promise.all(this.writing);
      const page = await call<Page<Task>>(`/api/tasks?${query}`);
      if (mine !== this.asked) return;
      const items = more ? [...this.get().items, ...page.items] : page.items;
      this.set({ items, nextCursor: page.next_cursor, state: "ready", failure: null });
    } catch (error) {
      if (mine === this.asked) this.set({ state: "failed", failure: messageOf(error) });
    }
  }

  async add(task: { title: string; due_on: string | null; tags: string[] }): Promise<Task> {
    const added = await this.write<Task>("/api/tasks", { method: "POST", body: task });
    if (this.get().filter.status !== "done") this.set({ items: [added, ...this.get().items] });
    await this.load(); // where it belongs in the chosen order is the server's to say
    return added;
  }

  /** Shows the task even when the filter would not: a link from the chat leads to it. */
  async reveal(id: string): Promise<Task> {
    const task = await call<Task>(`/api/tasks/${encodeURIComponent(id)}`);
    if (!this.get().items.some((item) => item.id === id)) this.set({ items: [task, ...this.get().items] });
    return task;
  }

  private swap(task: Task): void {
    this.set({ items: this.get().items.map((item) => (item.id === task.id ? task : item)) });
  }

  /**
   * Changes a task if nobody else has meanwhile. If somebody has, their version is shown and the change is refused
   * with a message, so that neither overwrites the other unseen.
   */
  async change(task: Task, change: TaskChange): Promise<void> {
    this.swap({ ...task, ...change });
    try {
      const headers = { "if-match": `"${task.version}"` };
      this.swap(await this.write<Task>(`/api/tasks/${task.id}`, { method: "PATCH", body: change, headers }));
    } catch (error) {
      this.swap(task);
      if (!(error instanceof ApiProblem) || error.status !== 412) throw error;
      this.swap(await call<Task>(`/api/tasks/${task.id}`));
      throw new ApiProblem(412, error.code, "This task was changed elsewhere. The newest version is shown; please change it again.");
    }
  }

  /** Moves a task to a place in the list as shown, counted from 0. */
  async move(task: Task, place: number): Promise<void> {
    const before = this.get().items;
    const others = before.filter(({ id }) => id !== task.id);
    const target = Math.max(0, Math.min(place, others.length));
    this.set({ items: [...others.slice(0, target), task, ...others.slice(target)] });
    try {
      this.swap(await this.write<Task>(`/api/tasks/${task.id}/move`, { method: "POST", body: { after: others[target - 1]?.id ?? null } }));
    } catch (error) {
      this.set({ items: before });
      throw error;
    }
  }

  async remove(task: Task): Promise<void> {
    await this.write(`/api/tasks/${task.id}`, { method: "DELETE" });
    this.set({ items: this.get().items.filter(({ id }) => id !== task.id) });
  }
}

export const tasks = new TaskStore({
  items: [],
  nextCursor: null,
  filter: { status: "open", search: "", tag: "", sort: "position" },
  state: "loading",
  failure: null,
});
