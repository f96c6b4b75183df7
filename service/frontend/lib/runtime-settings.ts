import { readFileSync } from "node:fs";

/**
 * A setting of the running container: the environment variable, else the secret file of the same name.
 * Read at run time, never at build time, so that one image serves every environment.
 */
export function runtimeSetting(name: string): string | undefined {
  const fromEnvironment = process.env[name];
  if (fromEnvironment) return fromEnvironment;
  try {
    return readFileSync(`/run/secrets/${name}`, "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}

/**
 * Where the backend answers, without a trailing slash; inside the stack this is the proxy. The browser never calls
 * it: NEXT_PUBLIC_API_URL, fixed when the image was built, is only the address to fall back on here.
 */
export function backendAddress(): string {
  const address = runtimeSetting("BACKEND_URL") ?? (process.env.NEXT_PUBLIC_API_URL || "http://127.0.0.1:8000");
  return address.replace(/\/+$/, "");
}
