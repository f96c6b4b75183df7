import type { Metadata } from "next";
import { EntranceForm } from "@/components/shell/entrance-form";

export const metadata: Metadata = { title: "Log in" };

export default function Page() {
  return <EntranceForm purpose="login" />;
}
