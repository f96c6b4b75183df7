"use client";

import "./globals.css";

/** Stands in for the whole page when even the layout failed, so it brings its own html element. */
export default function GlobalErrorPage({ reset }: { reset: () => void }) {
  return (
    <html lang="en" data-theme="light">
      <body>
        <title>Something broke · Chatbot</title>
        <main className="grid min-h-dvh place-items-center px-5 text-center">
          <div>
            <h1 className="font-serif text-3xl font-medium">Something broke on this page</h1>
            <p className="mt-3 text-ink-soft">Nothing you wrote is lost: it is kept on the server.</p>
            <button type="button" onClick={reset} className="mt-6 h-10 rounded-lg bg-accent px-4 text-accent-ink">
              Try again
            </button>
          </div>
        </main>
      </body>
    </html>
  );
}
