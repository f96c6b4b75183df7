"use client";

import { Monitor, Moon, Sun } from "lucide-react";
import { useEffect, useState } from "react";
import { applyTheme, storedTheme, type ThemeChoice } from "@/lib/theme";

const choices = [
  { value: "light", label: "Light", Icon: Sun },
  { value: "system", label: "Like the device", Icon: Monitor },
  { value: "dark", label: "Dark", Icon: Moon },
] as const;

/** Three ways to see the page. The choice stays in this browser. */
export function ThemeSwitch() {
  const [choice, setChoice] = useState<ThemeChoice>("system");
  useEffect(() => {
    setChoice(storedTheme());
    const device = matchMedia("(prefers-color-scheme: dark)");
    const follow = () => storedTheme() === "system" && applyTheme("system");
    device.addEventListener("change", follow);
    return () => device.removeEventListener("change", follow);
  }, []);
  return (
    <fieldset className="inline-flex rounded-lg border border-line bg-sunken p-0.5">
      <legend className="sr-only">Theme</legend>
      {choices.map(({ value, label, Icon }) => (
        <label
          key={value}
          title={label}
          className="relative inline-flex size-8 cursor-pointer items-center justify-center rounded-md text-ink-faint has-checked:bg-surface has-checked:text-ink has-checked:shadow-sm has-focus-visible:outline-2 has-focus-visible:outline-accent hover:text-ink"
        >
          <input
            type="radio"
            name="theme"
            value={value}
            checked={choice === value}
            onChange={() => {
              applyTheme(value);
              setChoice(value);
            }}
            className="absolute inset-0 cursor-pointer appearance-none opacity-0"
          />
          <Icon className="size-4" aria-hidden />
          <span className="sr-only">{label}</span>
        </label>
      ))}
    </fieldset>
  );
}
