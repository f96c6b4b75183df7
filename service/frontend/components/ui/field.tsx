"use client";

import { useId, type InputHTMLAttributes, type ReactNode } from "react";

type FieldProperties = InputHTMLAttributes<HTMLInputElement> & {
  label: string;
  hint?: ReactNode;
  error?: string;
};

export const inputLook =
  "w-full rounded-lg border border-edge bg-surface px-3 text-base text-ink placeholder:text-ink-faint " +
  "hover:border-ink-soft focus-visible:border-accent focus-visible:outline-1 focus-visible:outline-offset-0 " +
  "aria-invalid:border-danger md:text-sm";

/** A labelled text input with room for one hint and one error, both tied to it for screen readers. */
export function Field({ label, hint, error, className = "", ...rest }: FieldProperties) {
  const id = useId();
  const describedBy = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1.5 block text-sm font-medium">
        {label}
      </label>
      <input
        id={id}
        className={`${inputLook} h-11`}
        aria-invalid={error ? true : undefined}
        aria-describedby={describedBy || undefined}
        {...rest}
      />
      {hint && (
        <p id={`${id}-hint`} className="mt-1.5 text-sm text-ink-faint">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className="mt-1.5 text-sm text-danger">
          {error}
        </p>
      )}
    </div>
  );
}
