import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { runtimeSetting } from "@/lib/runtime-settings";

/** What the cookie holds, sealed: the browser keeps it but can neither read nor change it. */
export type Session = { access: string; refresh: string };

const lifetimeSeconds = 30 * 24 * 3600; // the refresh token's own lifetime
const plainName = "chatbot_session";
const secureName = `__Host-${plainName}`;

let key: Buffer | undefined;

function sealingKey(): Buffer {
  if (key) return key;
  let secret = runtimeSetting("JWT_SECRET");
  if (!secret) {
    console.error("JWT_SECRET is not set: sign-ins will not survive a restart of this process");
    secret = randomBytes(32).toString("hex");
  }
  key = Buffer.from(hkdfSync("sha256", secret, "", "chatbot frontend session v1", 32));
  return key;
}

function seal(session: Session): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", sealingKey(), nonce);
  const sealed = Buffer.concat([cipher.update(JSON.stringify(session), "utf8"), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64url");
}

function open(value: string): Session | null {
  try {
    const raw = Buffer.from(value, "base64url");
    const decipher = createDecipheriv("aes-256-gcm", sealingKey(), raw.subarray(0, 12), { authTagLength: 16 });
    decipher.setAuthTag(raw.subarray(12, 28));
    const plain = Buffer.concat([decipher.update(raw.subarray(28)), decipher.final()]).toString("utf8");
    const session = JSON.parse(plain) as Partial<Session>;
    return session.access && session.refresh ? { access: session.access, refresh: session.refresh } : null;
  } catch {
    return null; // tampered with, or sealed under another secret: the same as no session
  }
}

function isSecure(request: Request): boolean {
  const forwarded = request.headers.get("x-forwarded-proto");
  return (forwarded?.split(",")[0]?.trim() ?? new URL(request.url).protocol.replace(":", "")) === "https";
}

/** The session a request brings; null when there is none, or the cookie was tampered with. */
export function readSession(request: Request): Session | null {
  const name = isSecure(request) ? secureName : plainName;
  for (const pair of (request.headers.get("cookie") ?? "").split(";")) {
    const separator = pair.indexOf("=");
    if (pair.slice(0, separator).trim() === name) return open(pair.slice(separator + 1).trim());
  }
  return null;
}

function cookie(request: Request, value: string, maxAgeSeconds: number): string {
  const secure = isSecure(request);
  const attributes = ["Path=/", `Max-Age=${maxAgeSeconds}`, "HttpOnly", "SameSite=Lax", ...(secure ? ["Secure"] : [])];
  return [`${secure ? secureName : plainName}=${value}`, ...attributes].join("; ");
}

/** The Set-Cookie header that keeps this session in the browser. */
export function sessionCookie(request: Request, session: Session): string {
  return cookie(request, seal(session), lifetimeSeconds);
}

/** The Set-Cookie header that removes the session from the browser. */
export function endedSessionCookie(request: Request): string {
  return cookie(request, "", 0);
}

/** Whether a request brings a session cookie at all; says nothing about whether it still counts. */
export function hasSessionCookie(names: string[]): boolean {
  return names.includes(plainName) || names.includes(secureName);
}
