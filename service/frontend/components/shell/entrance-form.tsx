"use client";

import Link from "next/link";
import { useState, type FormEvent } from "react";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Notice } from "@/components/ui/notice";
import { ApiProblem, call, messageOf } from "@/lib/client/api";

const shortestPassword = 10;

/** Only a path of this site; anything else could send a visitor elsewhere after logging in. */
function destination(): string {
  const next = new URLSearchParams(location.search).get("next") ?? "";
  try {
    const target = new URL(next, location.origin);
    return next.startsWith("/") && target.origin === location.origin ? target.pathname + target.search : "/chat";
  } catch {
    return "/chat";
  }
}

function waitingTime(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} seconds` : `${Math.ceil(seconds / 60)} minutes`;
}

function explain(error: unknown): string {
  if (!(error instanceof ApiProblem)) return messageOf(error);
  if (error.code === "invalid-credentials") return "That email and password do not belong together.";
  if (error.code === "email-taken") return "There is an account with this email already. Log in instead?";
  if (error.status === 429) {
    return `Too many attempts. Try again in ${error.retryAfterSeconds ? waitingTime(error.retryAfterSeconds) : "a while"}.`;
  }
  return error.fields[0]?.message ?? error.message;
}

/** Signing up and logging in: the same form, but for one field and the words. */
export function EntranceForm({ purpose }: { purpose: "login" | "signup" }) {
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const joining = purpose === "signup";

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const name = String(form.get("name") ?? "").trim();
    const body = { email: form.get("email"), password: form.get("password"), ...(name && { name }) };
    setBusy(true);
    setFailure(null);
    try {
      await call(`/api/auth/${purpose}`, { method: "POST", body });
      location.assign(destination());
    } catch (error) {
      setFailure(explain(error));
      setBusy(false);
    }
  }

  return (
    <div className="mx-auto w-full max-w-sm px-5 pb-20 pt-8 md:pt-16">
      <h1 className="font-serif text-4xl font-medium tracking-[-0.02em]">{joining ? "Make an account" : "Welcome back"}</h1>
      <form method="post" onSubmit={submit} className="mt-8 space-y-5">
        {failure && <Notice>{failure}</Notice>}
        {joining && <Field label="Name" name="name" autoComplete="name" maxLength={100} hint="Optional. How the page greets you." />}
        <Field label="Email" name="email" type="email" autoComplete="email" required autoFocus={!joining} />
        <Field
          label="Password"
          name="password"
          type="password"
          autoComplete={joining ? "new-password" : "current-password"}
          required
          minLength={joining ? shortestPassword : undefined}
          hint={joining ? `At least ${shortestPassword} characters. A short sentence is good.` : undefined}
        />
        <Button type="submit" className="h-11 w-full" disabled={busy}>
          {busy ? "One moment…" : joining ? "Sign up" : "Log in"}
        </Button>
      </form>
      <p className="mt-6 text-sm text-ink-soft">
        {joining ? "Have an account? " : "New here? "}
        <Link href={joining ? "/login" : "/signup"} className="font-medium text-accent underline underline-offset-4">
          {joining ? "Log in" : "Sign up"}
        </Link>
      </p>
    </div>
  );
}
