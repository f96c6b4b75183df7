const renewedAt = "sign-in-renewed-at";
const pausesBeforeAskingAgainMilliseconds = [250, 1_000, 2_000];

let underWay: Promise<boolean> | null = null;

function lastRenewal(): number {
  try {
    return Number(localStorage.getItem(renewedAt)) || 0;
  } catch {
    return 0;
  }
}

/** Null when no answer came. Asking again is safe: for a minute the server gives the same answer to the same cookie. */
async function askForRenewal(): Promise<Response | null> {
  for (const milliseconds of pausesBeforeAskingAgainMilliseconds) {
    const response = await fetch("/api/auth/refresh", { method: "POST", credentials: "same-origin" }).catch(() => null);
    if (response && response.status < 500) return response;
    await new Promise((resume) => setTimeout(resume, milliseconds));
  }
  return null;
}

async function renew(sentAt: number): Promise<boolean> {
  // Somebody, perhaps another tab, has renewed since the request was sent that was refused.
  if (lastRenewal() > sentAt) return true;
  const response = await askForRenewal();
  if (response?.ok) {
    try {
      localStorage.setItem(renewedAt, String(Date.now()));
    } catch {
      // Then tabs do not know of each other's renewals, and each makes its own.
    }
    return true;
  }
  if (response?.status === 401) leaveForLogIn();
  return false;
}

/**
 * Renews the access token after a request sent at that time (milliseconds) was refused; true when it may be sent
 * again. A refresh token counts once, so the whole browser renews one at a time: within this tab by sharing the
 * promise, between tabs by a lock. Doing this in the browser rather than in the server keeps it right when several
 * copies of the server answer.
 */
export function renewSignIn(sentAt: number): Promise<boolean> {
  underWay ??= (
    "locks" in navigator ? navigator.locks.request("renew-sign-in", () => renew(sentAt)) : renew(sentAt)
  ).finally(() => {
    underWay = null;
  });
  return underWay;
}

/** Goes to the log-in page, and back here afterwards. */
export function leaveForLogIn(): void {
  const here = location.pathname + location.search;
  location.assign(`/login?next=${encodeURIComponent(here)}`);
}
