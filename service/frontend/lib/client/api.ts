import { renewSignIn } from "./sign-in";

/** An answer that was not the wished one, with a message for people. */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly retryAfterSeconds: number | null = null,
    readonly fields: { where: string; message: string }[] = [],
  ) {
    super(message);
  }
}

/** No answer arrived at all: offline, or the connection broke. */
export class Unreachable extends ApiProblem {
  constructor() {
    super(0, "unreachable", "The service cannot be reached. Check the connection; nothing you wrote is lost.");
  }
}

type Options = { method?: string; body?: unknown; headers?: Record<string, string>; signal?: AbortSignal };

const pausesBeforeReadingAgainMilliseconds = [250, 1_000];

const pause = (milliseconds: number) => new Promise((resume) => setTimeout(resume, milliseconds));

/** Reading is tried again when the line breaks (a changed network, a server being replaced); writing never is. */
async function send(path: string, options: Options): Promise<Response> {
  if (options.method && options.method !== "GET") return sendOnce(path, options);
  for (const milliseconds of pausesBeforeReadingAgainMilliseconds) {
    try {
      const response = await sendOnce(path, options);
      if (response.status !== 502 && response.status !== 503) return response;
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
    }
    await pause(milliseconds);
  }
  return sendOnce(path, options);
}

async function sendOnce(path: string, { method = "GET", body, headers = {}, signal }: Options): Promise<Response> {
  try {
    return await fetch(path, {
      method,
      headers: { accept: "application/json", ...(body !== undefined && { "content-type": "application/json" }), ...headers },
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "same-origin",
      signal: signal ?? null,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable();
  }
}

async function problemOf(response: Response): Promise<ApiProblem> {
  const retryAfter = Number(response.headers.get("retry-after")) || null;
  try {
    const { code, detail, errors } = (await response.json()) as Record<string, unknown>;
    if (typeof code === "string" && typeof detail === "string") {
      return new ApiProblem(response.status, code, detail, retryAfter, Array.isArray(errors) ? errors : []);
    }
  } catch {
    // Not a problem document; the status alone has to do.
  }
  return new ApiProblem(response.status, "unexpected-answer", `The service gave an unexpected answer (${response.status}).`, retryAfter);
}

/**
 * Calls our own origin's API and returns the answer unread. An access token that has expired is renewed once,
 * unseen; when that is refused the browser goes to the log-in page. Any other refusal throws an ApiProblem.
 */
export async function request(path: string, options: Options = {}): Promise<Response> {
  const sentAt = Date.now();
  let response = await send(path, options);
  if (response.status === 401) {
    const problem = await problemOf(response);
    if (problem.code === "invalid-credentials") throw problem;
    if (!(await renewSignIn(sentAt))) throw problem;
    response = await send(path, options);
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** Calls the API and returns the answer's JSON (undefined when it has none). */
export async function call<Answer>(path: string, options: Options = {}): Promise<Answer> {
  const response = await request(path, options);
  if (response.status === 204) return undefined as Answer;
  return (await response.json()) as Answer;
}

/** What to tell a person about a failure of any kind. */
export function messageOf(error: unknown): string {
  return error instanceof ApiProblem ? error.message : "Something unexpected went wrong on this page.";
}
