"use client";

import { useState, type FormEvent } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { ApiProblem, call, messageOf } from "@/lib/client/api";

/** Deleting asks for the password: a borrowed, unlocked laptop is not enough. */
export function DeleteAccount() {
  const [open, setOpen] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const password = new FormData(event.currentTarget).get("password");
    try {
      await call("/api/account", { method: "DELETE", body: { password } });
      location.assign("/");
    } catch (error) {
      const wrong = error instanceof ApiProblem && error.code === "wrong-password";
      setFailure(wrong ? "That password is not right." : messageOf(error));
    }
  }
  return (
    <>
      <Button look="danger" onClick={() => setOpen(true)}>
        Delete the account…
      </Button>
      <Dialog open={open} onClose={() => setOpen(false)} label="Delete the account" className="w-[min(26rem,calc(100vw-2rem))]">
        <form onSubmit={submit} className="p-6">
          <h2 className="text-lg font-semibold tracking-tight">Delete the account?</h2>
          <p className="mt-2 text-sm text-ink-soft">Everything of yours is deleted at once and cannot be brought back.</p>
          <div className="mt-5">
            <Field label="Password" name="password" type="password" autoComplete="current-password" required error={failure ?? undefined} />
          </div>
          <div className="mt-6 flex justify-end gap-2">
            <Button look="quiet" onClick={() => setOpen(false)}>
              Cancel
            </Button>
            <Button look="danger" type="submit">
              Delete everything
            </Button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
