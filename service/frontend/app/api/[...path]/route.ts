import { BackendUnreachable, callBackend, passOn } from "@/lib/server/backend";
import { problem } from "@/lib/server/problem";
import { refreshOnce } from "@/lib/server/refresh";
import { isSameOrigin } from "@/lib/server/same-origin";
import { endedSessionCookie, readSession, sessionCookie, type Session } from "@/lib/server/session";

export const dynamic = "force-dynamic";

const forwarded = /^\/api\/(auth|account|tasks|conversations|chat)(\/|$)/;
const answersWithTokens = new Set(["POST /api/auth/signup", "POST /api/auth/login", "POST /api/account/password"]);
const largestBodyBytes = 1_000_000;

async function handle(request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  if (!forwarded.test(pathname)) return problem(404, "not-found", "There is nothing at this address.");
  if (!isSameOrigin(request)) return problem(403, "cross-site-request", "This request did not come from this page.");
  try {
    return await route(request, pathname, search);
  } catch (error) {
    // The visitor has gone; nobody reads this, and it is no failure to be logged.
    if (request.signal.aborted) return new Response(null, { status: 499 });
    if (!(error instanceof BackendUnreachable)) throw error;
    return problem(502, "backend-unreachable", "The service cannot be reached right now. It may be restarting.", {
      "retry-after": "1",
    });
  }
}

async function route(request: Request, pathname: string, search: string): Promise<Response> {
  const session = readSession(request);
  const call = `${request.method} ${pathname}`;
  if (call === "POST /api/auth/refresh") return refresh(request, session);
  if (call === "POST /api/auth/logout") return logOut(request, session);

  const hasBody = request.method !== "GET" && request.method !== "HEAD" && request.method !== "DELETE";
  const body = hasBody || call === "DELETE /api/account" ? await request.arrayBuffer() : null;
  if (body && body.byteLength > largestBodyBytes) return problem(413, "body-too-large", "That is too long to send.");

  const upstream = await callBackend(request, {
    path: pathname + search,
    method: request.method,
    body: body?.byteLength ? body : null,
    ...(session && { accessToken: session.access }),
  });
  if (upstream.ok && answersWithTokens.has(call)) return keepTokens(request, upstream);
  const answer = passOn(upstream);
  if (upstream.ok && call === "DELETE /api/account") answer.headers.set("set-cookie", endedSessionCookie(request));
  return answer;
}

/** Turns an answer that carries tokens into a cookie and an answer that does not. */
async function keepTokens(request: Request, upstream: Response): Promise<Response> {
  const tokens = (await upstream.json()) as { access_token: string; refresh_token: string; user: unknown };
  const session: Session = { access: tokens.access_token, refresh: tokens.refresh_token };
  return Response.json(
    { user: tokens.user },
    { status: upstream.status, headers: { "set-cookie": sessionCookie(request, session), "cache-control": "no-store" } },
  );
}

async function refresh(request: Request, session: Session | null): Promise<Response> {
  const ended = { "set-cookie": endedSessionCookie(request) };
  if (!session) return problem(401, "not-signed-in", "You are not signed in.", ended);
  const refreshed = await refreshOnce(request, session);
  if ("refused" in refreshed) {
    if (refreshed.refused !== 401) return problem(502, "backend-unreachable", "The service cannot renew the sign-in right now.");
    return problem(401, "not-signed-in", "Your sign-in has ended. Please log in again.", ended);
  }
  return Response.json(
    { user: refreshed.user },
    { headers: { "set-cookie": sessionCookie(request, refreshed.session), "cache-control": "no-store" } },
  );
}

async function logOut(request: Request, session: Session | null): Promise<Response> {
  if (session) {
    // The cookie goes in any case; a backend that is away only means the tokens die of age.
    await callBackend(request, {
      path: "/api/auth/logout",
      method: "POST",
      body: JSON.stringify({ refresh_token: session.refresh }),
    }).catch(() => undefined);
  }
  return new Response(null, { status: 204, headers: { "set-cookie": endedSessionCookie(request) } });
}

export { handle as DELETE, handle as GET, handle as PATCH, handle as POST, handle as PUT };
