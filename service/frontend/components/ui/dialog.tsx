"use client";

import { useEffect, useRef, type ReactNode } from "react";
import { Button } from "./button";

type DialogProperties = { open: boolean; onClose: () => void; label: string; className?: string; children: ReactNode };

/** A modal on the platform's own dialog element: it traps focus, closes on Esc and gives focus back. */
export function Dialog({ open, onClose, label, className = "", children }: DialogProperties) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    if (!dialog) return;
    if (open && !dialog.open) dialog.showModal();
    if (!open && dialog.open) dialog.close();
  }, [open]);
  return (
    <dialog
      ref={element}
      aria-label={label}
      onClose={onClose}
      onMouseDown={(event) => event.target === element.current && onClose()}
      className={`rounded-2xl bg-surface p-0 shadow-lift ${className}`}
    >
      {open && children}
    </dialog>
  );
}

type ConfirmProperties = {
  open: boolean;
  title: string;
  explanation: string;
  confirmLabel: string;
  onConfirm: () => void;
  onClose: () => void;
};

/** Asks before something is lost, and says what. */
export function ConfirmDialog({ open, title, explanation, confirmLabel, onConfirm, onClose }: ConfirmProperties) {
  return (
    <Dialog open={open} onClose={onClose} label={title} className="w-[min(26rem,calc(100vw-2rem))]">
      <div className="p-6">
        <h2 className="text-lg font-semibold tracking-tight">{title}</h2>
        <p className="mt-2 text-sm text-ink-soft">{explanation}</p>
        <div className="mt-6 flex justify-end gap-2">
          <Button look="quiet" onClick={onClose} autoFocus>
            Cancel
          </Button>
          <Button
            look="danger"
            onClick={() => {
              onConfirm();
              onClose();
            }}
          >
            {confirmLabel}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
