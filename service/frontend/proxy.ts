import { readFileSync } from "node:fs";
import { NextResponse, type NextRequest } from "next/server";
import { contentSecurityPolicy } from "@/lib/content-security-policy";
import { hasSessionCookie } from "@/lib/server/session";

const pagesForMembers = /^\/(chat|tasks|account)(\/|$)/;
const pagesForVisitors = /^\/(login|signup)$/;

let hashesByPage: Record<string, string[]> | undefined;

function inlineScriptHashes(path: string): string[] {
  try {
    hashesByPage ??= JSON.parse(readFileSync("content-hashes.json", "utf8")) as Record<string, string[]>;
  } catch {
    hashesByPage = {};
  }
  const page = path.startsWith("/chat/") ? "/chat" : path.replace(/\/+$/, "") || "/";
  return hashesByPage[page] ?? hashesByPage["/_not-found"] ?? [];
}

function redirectTo(request: NextRequest, location: string): NextResponse {
  // Next sends it as a relative address, as it must be: behind a proxy this server does not know its own name.
  const response = NextResponse.redirect(new URL(location, request.nextUrl));
  response.headers.set("cache-control", "no-store");
  return response;
}

/** Runs before every page (not before files and /api): sends visitors to log in and sets the policy headers. */
export function proxy(request: NextRequest): NextResponse {
  const { pathname, search } = request.nextUrl;
  const signedIn = hasSessionCookie(request.cookies.getAll().map(({ name }) => name));
  if (!signedIn && pagesForMembers.test(pathname)) {
    return redirectTo(request, `/login?next=${encodeURIComponent(pathname + search)}`);
  }
  if (signedIn && pagesForVisitors.test(pathname)) return redirectTo(request, "/chat");

  const response = NextResponse.next();
  const development = process.env.NODE_ENV === "development";
  response.headers.set("content-security-policy", contentSecurityPolicy(inlineScriptHashes(pathname), development));
  response.headers.set("x-content-type-options", "nosniff");
  response.headers.set("x-frame-options", "DENY");
  response.headers.set("referrer-policy", "same-origin");
  response.headers.set("cross-origin-opener-policy", "same-origin");
  response.headers.set("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()");
  if (pagesForMembers.test(pathname)) response.headers.set("cache-control", "private, no-cache");
  return response;
}

export const config = { matcher: ["/((?!api/|_next/|icon|favicon|robots).*)"] };
