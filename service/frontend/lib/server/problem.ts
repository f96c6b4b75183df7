/** An error in the shape the backend uses too (application/problem+json): `detail` is for people. */
export function problem(status: number, code: string, detail: string, headers: HeadersInit = {}): Response {
  const body = JSON.stringify({ type: "about:blank", title: code.replaceAll("-", " "), status, code, detail });
  const answer = new Response(body, { status, headers });
  answer.headers.set("content-type", "application/problem+json");
  answer.headers.set("cache-control", "no-store");
  return answer;
}
