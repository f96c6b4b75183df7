import Link from "next/link";
import type { ReactNode } from "react";
import { buttonLook } from "@/components/ui/button";
import { ThemeSwitch } from "@/components/ui/theme-switch";
import { Wordmark } from "@/components/ui/wordmark";

/** Header and footer of the pages anyone may see. */
export function PublicFrame({ children, plain = false }: { children: ReactNode; plain?: boolean }) {
  return (
    <div className="flex min-h-dvh flex-col">
      <a href="#content" className="sr-only focus:not-sr-only focus:absolute focus:left-4 focus:top-4 focus:z-10 focus:rounded-lg focus:bg-surface focus:px-4 focus:py-2">
        Skip to content
      </a>
      <header className="mx-auto flex w-full max-w-5xl items-center gap-2 px-5 py-4">
        <Link href="/" className="rounded-lg">
          <Wordmark />
        </Link>
        {!plain && (
          <nav aria-label="Site" className="ml-auto flex items-center gap-1">
            <Link href="/about" className={`${buttonLook("quiet")} max-sm:hidden`}>
              About
            </Link>
            <Link href="/login" className={buttonLook("quiet")}>
              Log in
            </Link>
            <Link href="/signup" className={buttonLook("primary")}>
              Sign up
            </Link>
          </nav>
        )}
      </header>
      <main id="content" tabIndex={-1} className="flex flex-1 flex-col">
        {children}
      </main>
      <footer className="border-t border-line">
        <div className="mx-auto flex w-full max-w-5xl flex-wrap items-center gap-x-6 gap-y-3 px-5 py-5 text-sm text-ink-faint">
          <p>Runs on your own machines.</p>
          <Link href="/about" className="rounded underline-offset-4 hover:text-ink hover:underline">
            About this service
          </Link>
          <div className="ml-auto">
            <ThemeSwitch />
          </div>
        </div>
      </footer>
    </div>
  );
}
