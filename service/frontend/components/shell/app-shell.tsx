"use client";

import { Menu, SquarePen } from "lucide-react";
import { usePathname, useRouter } from "next/navigation";
import { useCallback, useEffect, useState, type ReactNode } from "react";
import { CommandPalette } from "@/components/shell/command-palette";
import { Sidebar } from "@/components/shell/sidebar";
import { IconButton } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { account } from "@/lib/client/account";
import { conversations } from "@/lib/client/conversations";
import { chat, newThread } from "@/lib/client/chat";

const titles: [RegExp, string][] = [
  [/^\/chat/, "Chat"],
  [/^\/tasks/, "Tasks"],
  [/^\/account/, "Account"],
];

/** The frame of the pages for members: sidebar (a drawer on small screens), ⌘K, and the page itself. */
export function AppShell({ children }: { children: ReactNode }) {
  const path = usePathname();
  const router = useRouter();
  const [drawerOpen, setDrawerOpen] = useState(false);
  const [paletteOpen, setPaletteOpen] = useState(false);

  useEffect(() => {
    void account.load();
    void conversations.load();
  }, []);

  useEffect(() => setDrawerOpen(false), [path]);

  const startNew = useCallback(() => {
    chat.dismiss(newThread);
    setDrawerOpen(false);
    router.push("/chat");
    requestAnimationFrame(() => document.getElementById("composer")?.focus());
  }, [router]);

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if ((event.metaKey || event.ctrlKey) && !event.shiftKey && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setPaletteOpen((open) => !open);
      }
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, []);

  const sidebar = <Sidebar onStartNew={startNew} onSearch={() => setPaletteOpen(true)} onNavigate={() => setDrawerOpen(false)} />;
  return (
    <div className="flex h-dvh">
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:absolute focus:left-4 focus:top-4 focus:z-20 focus:rounded-lg focus:bg-surface focus:px-4 focus:py-2"
      >
        Skip to content
      </a>
      <aside aria-label="Sidebar" className="w-72 shrink-0 border-r border-line bg-sunken max-lg:hidden">
        {sidebar}
      </aside>
      <Dialog
        open={drawerOpen}
        onClose={() => setDrawerOpen(false)}
        label="Menu"
        className="m-0 h-dvh max-h-none w-[min(20rem,86vw)] rounded-l-none bg-sunken"
      >
        {sidebar}
      </Dialog>
      <div className="flex min-w-0 flex-1 flex-col">
        <header className="flex items-center gap-1 border-b border-line px-2 py-1.5 lg:hidden">
          <IconButton label="Open the menu" aria-haspopup="dialog" onClick={() => setDrawerOpen(true)}>
            <Menu aria-hidden />
          </IconButton>
          <p className="flex-1 text-center text-sm font-semibold">{titles.find(([pattern]) => pattern.test(path))?.[1]}</p>
          <IconButton label="New chat" onClick={startNew}>
            <SquarePen aria-hidden />
          </IconButton>
        </header>
        <main id="content" tabIndex={-1} className="flex min-h-0 flex-1 flex-col">
          {children}
        </main>
      </div>
      <CommandPalette open={paletteOpen} onClose={() => setPaletteOpen(false)} onStartNew={startNew} />
    </div>
  );
}
