export const dynamic = "force-dynamic";

/** Alive: needs nothing but this process, so an unreachable backend never restarts the page. */
export function GET(): Response {
  return Response.json({ status: "ok", service: "frontend" }, { headers: { "cache-control": "no-store" } });
}
