"use client";

import { ListChecks, LogOut, MessageSquareText, Search, SquarePen, UserRound } from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { ConversationList } from "@/components/shell/conversation-list";
import { IconButton } from "@/components/ui/button";
import { ThemeSwitch } from "@/components/ui/theme-switch";
import { Wordmark } from "@/components/ui/wordmark";
import { account, logOut } from "@/lib/client/account";

const places = [
  { href: "/chat", label: "Chat", Icon: MessageSquareText },
  { href: "/tasks", label: "Tasks", Icon: ListChecks },
  { href: "/account", label: "Account", Icon: UserRound },
];

type SidebarProperties = { onStartNew: () => void; onSearch: () => void; onNavigate: () => void };

export function Sidebar({ onStartNew, onSearch, onNavigate }: SidebarProperties) {
  const path = usePathname();
  const { user } = account.use();
  return (
    <div className="flex h-full flex-col">
      <div className="flex items-center justify-between px-4 pb-2 pt-4">
        <Link href="/chat" onClick={onNavigate} className="rounded-lg">
          <Wordmark />
        </Link>
        <div className="-mr-2 flex">
          <IconButton label="Search and commands (⌘K)" aria-keyshortcuts="Meta+K Control+K" onClick={onSearch}>
            <Search aria-hidden />
          </IconButton>
          <IconButton label="New chat" onClick={onStartNew}>
            <SquarePen aria-hidden />
          </IconButton>
        </div>
      </div>
      <nav aria-label="Places" className="px-2">
        {places.map(({ href, label, Icon }) => (
          <Link
            key={href}
            href={href}
            onClick={onNavigate}
            aria-current={path.startsWith(href) ? "page" : undefined}
            className="flex h-9 items-center gap-3 rounded-lg px-2.5 text-sm text-ink-soft hover:bg-ink/5 hover:text-ink aria-[current]:bg-ink/7 aria-[current]:font-medium aria-[current]:text-ink"
          >
            <Icon className="size-4" aria-hidden />
            {label}
          </Link>
        ))}
      </nav>
      <ConversationList onNavigate={onNavigate} />
      <div className="flex items-center gap-1 border-t border-line py-2.5 pl-4 pr-2">
        <Link href="/account" onClick={onNavigate} className="min-w-0 flex-1 rounded-md text-sm">
          <span className="block truncate font-medium">{user?.name || user?.email?.split("@")[0] || "…"}</span>
          <span className="block truncate text-xs text-ink-faint">{user?.email ?? " "}</span>
        </Link>
        <ThemeSwitch />
        <IconButton label="Log out" onClick={() => void logOut()}>
          <LogOut aria-hidden />
        </IconButton>
      </div>
    </div>
  );
}
