"use client";

import { useEffect, useState } from "react";
import { call, messageOf } from "@/lib/client/api";
import type { Usage } from "@/lib/client/types";

const number = new Intl.NumberFormat("en");

/** How much of the month's allowance is used, in tokens, and what it cost. */
export function UsageMeter() {
  const [usage, setUsage] = useState<Usage | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  useEffect(() => {
    call<Usage>("/api/account/usage").then(setUsage, (error) => setFailure(messageOf(error)));
  }, []);
  if (failure) return <p className="text-sm text-danger">{failure}</p>;
  if (!usage) return <div role="status" aria-label="Loading" className="h-12 animate-pulse rounded-lg bg-ink/6" />;
  const used = usage.prompt_tokens + usage.completion_tokens;
  return (
    <div className="text-sm">
      <p>
        <span className="text-2xl font-medium tracking-tight tabular-nums">{number.format(used)}</span>
        <span className="text-ink-soft"> {usage.limit_tokens > 0 ? `of ${number.format(usage.limit_tokens)} tokens` : "tokens"}</span>
      </p>
      {usage.limit_tokens > 0 && (
        <meter aria-label="Part of the monthly limit used" min={0} max={usage.limit_tokens} value={used} className="usage mt-2 block h-2 w-full" />
      )}
      <p className="mt-3 text-ink-soft">
        {number.format(usage.requests)} {usage.requests === 1 ? "answer" : "answers"}
        {usage.cost_usd > 0 && `, $${usage.cost_usd.toFixed(usage.cost_usd < 0.1 ? 4 : 2)}`}. Starts anew on{" "}
        {new Date(usage.resets_at).toLocaleDateString("en-GB", { day: "numeric", month: "long", timeZone: "UTC" })}.
      </p>
    </div>
  );
}
