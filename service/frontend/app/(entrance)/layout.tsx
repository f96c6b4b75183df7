import type { ReactNode } from "react";
import { PublicFrame } from "@/components/shell/public-frame";

export default function EntranceLayout({ children }: { children: ReactNode }) {
  return <PublicFrame plain>{children}</PublicFrame>;
}
