import type { Metadata } from "next";
import { EntranceForm } from "@/components/shell/entrance-form";

export const metadata: Metadata = { title: "Sign up" };

export default function Page() {
  return <EntranceForm purpose="signup" />;
}
