import type { Metadata } from "next";
import Link from "next/link";
import { PublicFrame } from "@/components/shell/public-frame";
import { buttonLook } from "@/components/ui/button";

export const metadata: Metadata = { title: "Not found" };

export default function NotFoundPage() {
  return (
    <PublicFrame>
      <div className="m-auto px-5 py-20 text-center">
        <h1 className="font-serif text-4xl font-medium tracking-tight">Nothing lives here</h1>
        <p className="mt-3 text-ink-soft">The address may be mistyped, or the thing behind it was deleted.</p>
        <Link href="/" className={`${buttonLook("outline")} mt-7`}>
          Back to the start
        </Link>
      </div>
    </PublicFrame>
  );
}
