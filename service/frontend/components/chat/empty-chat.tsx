"use client";

import { useEffect, useState } from "react";
import { account } from "@/lib/client/account";

const ideas = [
  { label: "What is on my list?", text: "What is on my task list?" },
  { label: "Put something on it", text: "Remind me to water the plants" },
  { label: "Draft a friendly reminder", text: "Write a short, friendly reminder about an unpaid invoice." },
  { label: "See what I can type", text: "/help" },
];

function greeting(hour: number): string {
  if (hour < 5) return "Still up";
  if (hour < 12) return "Good morning";
  if (hour < 18) return "Good afternoon";
  return "Good evening";
}

/** A new conversation: a greeting and a few ways to begin. */
export function EmptyChat({ onChoose }: { onChoose: (text: string) => void }) {
  const { user } = account.use();
  const [hello, setHello] = useState("Hello"); // the page is prerendered, and the server does not know the hour here
  useEffect(() => setHello(greeting(new Date().getHours())), []);
  const name = user?.name.trim().split(" ")[0];
  return (
    <div className="m-auto w-full py-8">
      <h1 className="font-serif text-4xl font-medium tracking-[-0.02em] text-balance sm:text-5xl">
        {hello}
        {name ? `, ${name}` : ""}.
      </h1>
      <p className="mt-3 text-lg text-ink-soft">What is on your mind?</p>
      <ul aria-label="Ways to begin" className="mt-8 flex flex-wrap gap-2">
        {ideas.map(({ label, text }) => (
          <li key={label}>
            <button
              type="button"
              onClick={() => onChoose(text)}
              className="h-10 rounded-full border border-line bg-surface px-4 text-sm text-ink-soft hover:border-edge hover:text-ink"
            >
              {label}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
