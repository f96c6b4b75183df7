/** The mark: an answer being written. Decorative; the word beside it is the name. */
export function Mark({ className = "size-6" }: { className?: string }) {
  return (
    <svg viewBox="0 0 24 24" className={className} aria-hidden>
      <path
        d="M12 2.5c5.4 0 9.5 3.7 9.5 8.6s-4.1 8.6-9.5 8.6c-1 0-2-.1-2.9-.4l-4.6 2c-.5.2-1-.3-.8-.8l1.2-3.3a8.2 8.2 0 0 1-2.4-6.1c0-4.9 4.1-8.6 9.5-8.6Z"
        className="fill-accent"
      />
      <path d="M7.6 9.6h8.8M7.6 13h4.2" className="stroke-accent-ink" strokeWidth="1.9" strokeLinecap="round" />
      <path d="M14.6 13h1.8" className="stroke-accent-ink opacity-60" strokeWidth="1.9" strokeLinecap="round" />
    </svg>
  );
}

export function Wordmark() {
  return (
    <span className="inline-flex items-center gap-2 text-[1.05rem] font-semibold tracking-tight">
      <Mark />
      Chatbot
    </span>
  );
}
