"use client";

import { useEffect } from "react";
import { Button } from "@/components/ui/button";

/** Stands in for a page that threw; what surrounds it, such as the sidebar, stays usable. */
export default function ErrorPage({ error, reset }: { error: Error; reset: () => void }) {
  useEffect(() => {
    console.error(error);
  }, [error]);
  return (
    <div role="alert" className="m-auto max-w-sm px-5 py-16 text-center">
      <h1 className="font-serif text-3xl font-medium tracking-tight">Something broke on this page</h1>
      <p className="mt-3 text-ink-soft">What you sent is kept on the server.</p>
      <Button look="outline" className="mt-6" onClick={reset}>
        Try again
      </Button>
    </div>
  );
}
