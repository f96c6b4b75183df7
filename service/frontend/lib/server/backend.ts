import { createHmac } from "node:crypto";
import { backendAddress, runtimeSetting } from "@/lib/runtime-settings";

const passedOnToBackend = ["accept", "content-type", "if-match", "last-event-id", "x-request-id", "x-utc-offset"];
const passedBackToBrowser = ["content-type", "etag", "location", "retry-after", "x-request-id"];
const pausesBeforeRetryMilliseconds = [100, 250, 500];

/** The backend could not be reached at all; nothing was handed over. */
export class BackendUnreachable extends Error {}

function clientAddress(request: Request): string | null {
  // The last entry is the one our own proxy wrote; those before it are the visitor's word.
  return request.headers.get("x-forwarded-for")?.split(",").at(-1)?.trim() || null;
}

function signedClientAddress(request: Request): string | null {
  const address = clientAddress(request);
  const secret = runtimeSetting("JWT_SECRET");
  if (!address || !secret) return null;
  const now = Math.floor(Date.now() / 1000);
  const signature = createHmac("sha256", secret).update(`client-address:${address}:${now}`).digest("hex");
  return `${address};t=${now};s=${signature}`;
}

function neverArrived(error: unknown): boolean {
  const code = ((error as Error)?.cause as { code?: string } | undefined)?.code;
  return code === "ECONNREFUSED" || code === "ENOTFOUND" || code === "EAI_AGAIN" || code === "UND_ERR_CONNECT_TIMEOUT";
}

type Call = { path: string; method: string; body?: ArrayBuffer | string | null; accessToken?: string };

/**
 * Calls the backend on behalf of a browser's request and returns its answer unread.
 * A call that never arrived is tried again for about a second, whatever its method: nothing was done yet.
 * A closed tab aborts the call, so that the backend hears of it.
 */
export async function callBackend(request: Request, { path, method, body, accessToken }: Call): Promise<Response> {
  const headers = new Headers();
  for (const name of passedOnToBackend) {
    const value = request.headers.get(name);
    if (value) headers.set(name, value);
  }
  if (typeof body === "string") headers.set("content-type", "application/json");
  if (accessToken) headers.set("authorization", `Bearer ${accessToken}`);
  const address = signedClientAddress(request);
  if (address) headers.set("x-client-address", address);

  for (const pause of [...pausesBeforeRetryMilliseconds, null]) {
    try {
      return await fetch(backendAddress() + path, {
        method,
        headers,
        body: body ?? null,
        signal: request.signal,
        cache: "no-store",
        redirect: "manual",
      });
    } catch (error) {
      if (request.signal.aborted) throw error;
      if (pause === null || !neverArrived(error)) throw new BackendUnreachable(String(error));
      await new Promise((resume) => setTimeout(resume, pause));
    }
  }
  throw new BackendUnreachable();
}

/** Passes an answer on to the browser: status, the headers it needs, and the body as it arrives. */
export function passOn(upstream: Response): Response {
  const headers = new Headers({ "cache-control": "no-store" });
  for (const name of passedBackToBrowser) {
    const value = upstream.headers.get(name);
    if (value) headers.set(name, value);
  }
  if (upstream.headers.get("content-type")?.startsWith("text/event-stream")) {
    // No-transform keeps compression, which would hold words back until its buffer is full, out of the way.
    headers.set("cache-control", "no-cache, no-store, no-transform");
    headers.set("x-accel-buffering", "no");
  }
  return new Response(upstream.body, { status: upstream.status, headers });
}
