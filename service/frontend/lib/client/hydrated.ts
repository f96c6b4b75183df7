import { useSyncExternalStore } from "react";

const never = () => () => undefined;

/**
 * False while the prerendered page is taken over, true ever after. One prerendered chat page serves every
 * conversation, so the first drawing must not yet look at the address.
 */
export function useHydrated(): boolean {
  return useSyncExternalStore(never, () => true, () => false);
}
