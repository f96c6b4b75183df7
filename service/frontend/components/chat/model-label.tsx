"use client";

import { useEffect } from "react";
import { model as modelStore } from "@/lib/client/account";

const cautions: Record<string, string> = {
  "local-demo": "runs on this machine; small, so often wrong",
  openai: "can be wrong; check what matters",
  other: "can be wrong; check what matters",
};

/** Who answers, always in sight. */
export function ModelLabel() {
  const { model } = modelStore.use();
  useEffect(() => {
    void modelStore.load();
  }, []);
  if (!model) return <p className="h-5 text-xs" />;
  return (
    <p className="flex min-h-5 flex-wrap items-center justify-center gap-x-2 text-center text-xs text-ink-faint">
      <span className="inline-flex items-center gap-1.5 font-medium text-ink-soft" title={model.name}>
        <span className={`size-1.5 rounded-full ${model.available === false ? "bg-danger" : "bg-accent"}`} aria-hidden />
        {model.label}
      </span>
      <span>{model.available === false ? "does not answer at the moment" : cautions[model.kind]}</span>
    </p>
  );
}
