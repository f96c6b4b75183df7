import { CircleAlert, Info } from "lucide-react";
import type { ReactNode } from "react";

/** One message that matters now: a failure (announced at once) or something worth knowing. */
export function Notice({ kind = "error", children, action }: { kind?: "error" | "info"; children: ReactNode; action?: ReactNode }) {
  const failed = kind === "error";
  const Icon = failed ? CircleAlert : Info;
  return (
    <div
      role={failed ? "alert" : "status"}
      className={`flex items-start gap-2.5 rounded-lg px-3.5 py-3 text-sm ${failed ? "bg-danger-soft text-danger" : "bg-notice-soft text-notice"}`}
    >
      <Icon className="mt-0.5 size-4 shrink-0" aria-hidden />
      <div className="min-w-0 flex-1">{children}</div>
      {action}
    </div>
  );
}
