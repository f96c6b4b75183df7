"use client";

import { useEffect, useState, type FormEvent, type ReactNode } from "react";
import { DeleteAccount } from "@/components/account/delete-account";
import { UsageMeter } from "@/components/account/usage-meter";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Notice } from "@/components/ui/notice";
import { ThemeSwitch } from "@/components/ui/theme-switch";
import { account, logOut } from "@/lib/client/account";
import { ApiProblem, call, messageOf } from "@/lib/client/api";
import type { User } from "@/lib/client/types";

function Section({ title, explanation, children }: { title: string; explanation?: string; children: ReactNode }) {
  return (
    <section aria-label={title} className="grid gap-x-10 gap-y-4 border-t border-line py-8 md:grid-cols-[13rem_minmax(0,1fr)]">
      <div>
        <h2 className="font-medium">{title}</h2>
        {explanation && <p className="mt-1 text-sm text-ink-faint text-pretty">{explanation}</p>}
      </div>
      <div className="max-w-md">{children}</div>
    </section>
  );
}

type Outcome = { kind: "error" | "info"; text: string } | null;

function NameForm({ user }: { user: User }) {
  const [outcome, setOutcome] = useState<Outcome>(null);
  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get("name") ?? "").trim();
    try {
      account.set({ user: await call<User>("/api/account", { method: "PATCH", body: { name } }) });
      setOutcome({ kind: "info", text: "Saved." });
    } catch (error) {
      setOutcome({ kind: "error", text: messageOf(error) });
    }
  }
  return (
    <form onSubmit={submit} className="space-y-4">
      {outcome && <Notice kind={outcome.kind}>{outcome.text}</Notice>}
      <Field label="Name" name="name" defaultValue={user.name} autoComplete="name" maxLength={100} />
      <Field label="Email" value={user.email} readOnly autoComplete="email" />
      <Button look="outline" type="submit">
        Save
      </Button>
    </form>
  );
}

function PasswordForm({ email }: { email: string }) {
  const [outcome, setOutcome] = useState<Outcome>(null);
  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    try {
      await call("/api/account/password", {
        method: "POST",
        body: { current_password: data.get("current"), new_password: data.get("new") },
      });
      form.reset();
      setOutcome({ kind: "info", text: "Changed. Everywhere else you are logged out." });
    } catch (error) {
      const wrong = error instanceof ApiProblem && error.code === "wrong-password";
      setOutcome({ kind: "error", text: wrong ? "The current password is not right." : messageOf(error) });
    }
  }
  return (
    <form onSubmit={submit} className="space-y-4">
      {outcome && <Notice kind={outcome.kind}>{outcome.text}</Notice>}
      {/* Tells password managers whose password this is. */}
      <input type="text" name="username" autoComplete="username" value={email} readOnly hidden />
      <Field label="Current password" name="current" type="password" autoComplete="current-password" required />
      <Field label="New password" name="new" type="password" autoComplete="new-password" required minLength={10} hint="At least 10 characters." />
      <Button look="outline" type="submit">
        Change the password
      </Button>
    </form>
  );
}

export function AccountPage() {
  const { user, failure } = account.use();
  useEffect(() => {
    void account.load();
  }, []);
  return (
    <div className="min-h-0 flex-1 overflow-y-auto" tabIndex={-1}>
      <div className="mx-auto w-full max-w-3xl px-4 pb-16 pt-6 sm:px-6 lg:pt-12">
        <h1 className="font-serif text-4xl font-medium tracking-[-0.02em]">Account</h1>
        <div className="mt-8">
          {failure && !user && (
            <div className="mb-6">
              <Notice
                action={
                  <Button look="danger" className="-my-1 h-8" onClick={() => void account.load()}>
                    Try again
                  </Button>
                }
              >
                {failure}
              </Notice>
            </div>
          )}
          {user && (
            <Section title="You">
              <NameForm key={user.id} user={user} />
            </Section>
          )}
          <Section title="Use this month" explanation="What the model read and wrote for you.">
            <UsageMeter />
          </Section>
          <Section title="Appearance" explanation="Kept in this browser.">
            <ThemeSwitch />
          </Section>
          <Section title="Password" explanation="Changing it ends every other sign-in.">
            <PasswordForm email={user?.email ?? ""} />
          </Section>
          <Section title="This device">
            <Button look="outline" onClick={() => void logOut()}>
              Log out
            </Button>
          </Section>
          <Section title="Delete the account" explanation="Conversations, tasks and everything else of yours go with it.">
            <DeleteAccount />
          </Section>
        </div>
      </div>
    </div>
  );
}
