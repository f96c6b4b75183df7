"use client";

import { useEffect, useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import { inputLook } from "@/components/ui/field";

type EditorProperties = { text: string; onSave: (text: string) => void; onCancel: () => void };

/** Edits a message that was sent; saving sends it in place of the old one and all that followed. */
export function MessageEditor({ text, onSave, onCancel }: EditorProperties) {
  const [changed, setChanged] = useState(text);
  const box = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    box.current?.focus();
    box.current?.setSelectionRange(text.length, text.length);
  }, [text]);
  const save = () => changed.trim() && onSave(changed.trim());
  return (
    <form
      aria-label="Edit your message"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
      className="rounded-2xl border border-line bg-surface p-3 shadow-lift"
    >
      <textarea
        ref={box}
        aria-label="Your message"
        value={changed}
        rows={Math.min(10, changed.split("\n").length + 1)}
        maxLength={16000}
        onChange={(event) => setChanged(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") {
            event.stopPropagation();
            onCancel();
          } else if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
            event.preventDefault();
            save();
          }
        }}
        className={`${inputLook} resize-none py-2 md:text-base`}
      />
      <div className="mt-2 flex flex-wrap items-center justify-end gap-2">
        <p className="mr-auto text-sm text-ink-faint">What follows this message will be replaced.</p>
        <Button look="quiet" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" disabled={!changed.trim()}>
          Send again
        </Button>
      </div>
    </form>
  );
}
