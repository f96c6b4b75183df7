"use client";

import { useEffect, useState } from "react";
import { call } from "@/lib/client/api";
import type { Command } from "@/lib/client/types";

let loaded: Command[] | null = null;

/** The slash commands the backend knows; none until they have arrived. */
export function useCommands(): Command[] {
  const [commands, setCommands] = useState<Command[]>(loaded ?? []);
  useEffect(() => {
    if (loaded) return;
    call<{ items: Command[] }>("/api/chat/commands").then(
      ({ items }) => {
        loaded = items;
        setCommands(items);
      },
      () => undefined, // Commands work without suggestions too.
    );
  }, []);
  return commands;
}

/** Those a text could become: it begins with a slash and has no space yet. */
export function commandsMatching(commands: Command[], text: string): Command[] {
  if (!/^\/\S*$/.test(text)) return [];
  return commands.filter(({ command }) => command.startsWith(text.toLowerCase()));
}
