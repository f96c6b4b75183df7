import { createHash } from "node:crypto";
import { callBackend } from "./backend";
import type { Session } from "./session";

export type Refreshed = { session: Session; user: unknown } | { refused: number };

const memory = new Map<string, { result: Promise<Refreshed>; until: number }>();
const rememberedMilliseconds = 60_000;

/**
 * Exchanges the refresh token for new tokens. A refresh token counts once, and using it twice ends the sign-in,
 * so requests that come with the same one share one exchange and, for a minute after, its result.
 */
export function refreshOnce(request: Request, session: Session): Promise<Refreshed> {
  const now = Date.now();
  for (const [name, entry] of memory) if (entry.until < now) memory.delete(name);
  const name = createHash("sha256").update(session.refresh).digest("base64");
  const known = memory.get(name);
  if (known) return known.result;
  const result = exchange(request, session);
  memory.set(name, { result, until: now + rememberedMilliseconds });
  result.then(
    (refreshed) => "refused" in refreshed && refreshed.refused !== 401 && memory.delete(name),
    () => memory.delete(name),
  );
  return result;
}

async function exchange(request: Request, session: Session): Promise<Refreshed> {
  // Not tied to the first visitor's connection: others wait for this exchange too.
  const detached = new Request(request.url, { headers: request.headers });
  const answer = await callBackend(detached, {
    path: "/api/auth/refresh",
    method: "POST",
    body: JSON.stringify({ refresh_token: session.refresh }),
  });
  if (!answer.ok) return { refused: answer.status };
  const tokens = (await answer.json()) as { access_token: string; refresh_token: string; user: unknown };
  return { session: { access: tokens.access_token, refresh: tokens.refresh_token }, user: tokens.user };
}
