/**
 * The policy of a page. Pages are prerendered, so the inline scripts are known by hash and a nonce,
 * which would make every page dynamic, is not needed. No origin but our own appears anywhere.
 */
export function contentSecurityPolicy(scriptHashes: string[], development: boolean): string {
  const script = development ? "'self' 'unsafe-inline' 'unsafe-eval'" : ["'self'", ...scriptHashes].join(" ");
  const style = development ? "'self' 'unsafe-inline'" : "'self'";
  return [
    "default-src 'none'",
    `script-src ${script}`,
    `style-src ${style}`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
}
