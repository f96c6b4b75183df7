import { call, messageOf } from "./api";
import { Store } from "./store";
import type { Model, User } from "./types";

class AccountStore extends Store<{ user: User | null; failure: string | null }> {
  async load(): Promise<void> {
    try {
      this.set({ user: await call<User>("/api/account"), failure: null });
    } catch (error) {
      this.set({ failure: messageOf(error) });
    }
  }
}

class ModelStore extends Store<{ model: Model | null }> {
  async load(): Promise<void> {
    const model = await call<Model>("/api/chat/model").catch(() => null);
    if (model) this.set({ model });
  }
}

export const account = new AccountStore({ user: null, failure: null });
export const model = new ModelStore({ model: null });

/** Ends the sign-in and leaves; the whole page goes, and with it everything it kept in memory. */
export async function logOut(): Promise<void> {
  await fetch("/api/auth/logout", { method: "POST", credentials: "same-origin" });
  location.assign("/login");
}
