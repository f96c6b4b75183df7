import { readFileSync } from "node:fs";
import { NextResponse, type NextRequest } from "next/server";
import { contentSecurityPolicy } from "@/lib/content-security-policy";

const pagesForMembers = /^\/(chat|tasks|account)(\/|$)/;

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

/** Runs before every page (not before files and /api): sends visitors to log in and sets the policy headers. */
export function proxy(request: NextRequest): NextResponse {
  const path = request.nextUrl.pathname;
  const response = NextResponse.next();
  response.headers.set(
    "content-security-policy",
    contentSecurityPolicy(inlineScriptHashes(path), process.env.NODE_ENV === "development"),
  );
  return response;
}

export const config = { matcher: ["/((?!api/|_next/|fonts/|icon|favicon|robots).*)"] };
