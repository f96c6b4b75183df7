import { useSyncExternalStore } from "react";

/** A value outside the tree of components, so that an answer goes on being written while another page is open. */
export class Store<Value> {
  private readonly listeners = new Set<() => void>();
  private readonly initial: Value;

  constructor(private value: Value) {
    this.initial = value;
  }

  get = (): Value => this.value;

  set(next: Partial<Value>): void {
    this.value = { ...this.value, ...next };
    this.announce();
  }

  protected announce(): void {
    for (const listener of this.listeners) listener();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Reads the value in a component and draws it again when it changes. */
  use = (): Value => useSyncExternalStore(this.subscribe, this.get, () => this.initial);
}
