import type { ButtonHTMLAttributes, ReactNode } from "react";

type Look = "primary" | "quiet" | "outline" | "danger";

const base =
  "inline-flex items-center justify-center gap-2 rounded-lg text-sm font-medium transition-colors duration-100 " +
  "disabled:cursor-not-allowed disabled:opacity-55 select-none whitespace-nowrap";

const looks: Record<Look, string> = {
  primary: "bg-accent text-accent-ink enabled:hover:bg-accent-strong",
  quiet: "text-ink-soft enabled:hover:bg-ink/7 enabled:hover:text-ink",
  outline: "border border-edge/60 bg-surface text-ink enabled:hover:border-edge enabled:hover:bg-sunken",
  danger: "border border-danger/50 text-danger enabled:hover:bg-danger-soft",
};

/** The classes of a button, for a link that has to look like one. */
export function buttonLook(look: Look, size: "medium" | "large" = "medium"): string {
  return `${base} ${looks[look]} ${size === "large" ? "h-12 px-5 text-base" : "h-10 px-4"}`;
}

type ButtonProperties = ButtonHTMLAttributes<HTMLButtonElement> & { look?: Look };

export function Button({ look = "primary", className = "", type = "button", ...rest }: ButtonProperties) {
  return <button type={type} className={`${buttonLook(look)} ${className}`} {...rest} />;
}

type IconButtonProperties = ButtonHTMLAttributes<HTMLButtonElement> & {
  /** What the button does, in words: read aloud, and shown as the tooltip. */
  label: string;
  small?: boolean;
  children: ReactNode;
};

export function IconButton({ label, small, className = "", children, ...rest }: IconButtonProperties) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={`${base} ${looks.quiet} ${small ? "size-7 rounded-md [&_svg]:size-[15px]" : "size-10 [&_svg]:size-[18px]"} shrink-0 ${className}`}
      {...rest}
    >
      {children}
    </button>
  );
}
