/**
 * Whether a request that changes something was sent by our own page. Browsers say so in Sec-Fetch-Site
 * (on https and localhost) and in Origin (everywhere, on anything but GET and HEAD); a request with neither
 * did not come from a page at all and has no business with cookies.
 */
export function isSameOrigin(request: Request): boolean {
  if (request.method === "GET" || request.method === "HEAD") {
    const site = request.headers.get("sec-fetch-site");
    return site === null || site === "same-origin" || site === "none";
  }
  const site = request.headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin";
  const origin = request.headers.get("origin");
  const host = request.headers.get("x-forwarded-host") ?? request.headers.get("host");
  try {
    return origin !== null && host !== null && new URL(origin).host === host;
  } catch {
    return false;
  }
}
