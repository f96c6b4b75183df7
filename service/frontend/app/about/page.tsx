import type { Metadata } from "next";
import { PublicFrame } from "@/components/shell/public-frame";

export const metadata: Metadata = { title: "About" };

const shortcuts = [
  ["Enter", "send"],
  ["Shift + Enter", "new line"],
  ["Esc", "stop the answer, close what is open"],
  ["↑ in an empty box", "edit your last message"],
  ["⌘ K or Ctrl + K", "find a conversation, go anywhere"],
] as const;

const commands = [
  ["/add water the plants", "put a task on the list"],
  ["/tasks", "show what is open"],
  ["/done water the plants", "tick it off"],
  ["/help", "say all of this in the chat"],
] as const;

function TwoColumns({ label, rows }: { label: string; rows: readonly (readonly [string, string])[] }) {
  return (
    <dl aria-label={label} className="divide-y divide-line rounded-xl border border-line bg-surface">
      {rows.map(([term, meaning]) => (
        <div key={term} className="flex flex-wrap items-baseline gap-x-6 gap-y-1 px-4 py-2.5">
          <dt className="w-56 font-mono text-[0.84rem]">{term}</dt>
          <dd className="text-[0.95rem] text-ink-soft">{meaning}</dd>
        </div>
      ))}
    </dl>
  );
}

export default function AboutPage() {
  return (
    <PublicFrame>
      <article className="mx-auto w-full max-w-[42rem] px-5 py-10 md:py-16">
        <h1 className="font-serif text-4xl font-medium tracking-[-0.02em] sm:text-5xl">About this service</h1>
        <div className="prose mt-8 text-[1.02rem]">
          <p>
            This is a chat with a memory for what you have to do. It talks to a language model on your behalf, and the model
            can look at your task list, add to it and tick things off. Each time it does, the conversation shows a card that
            says what changed.
          </p>
          <h2>What it knows about you</h2>
          <p>
            Your email address, your conversations and your tasks, in the database of whoever runs this page. The messages you
            send go to the model named at the foot of the chat. Nothing else leaves the machine, there are no trackers, and
            deleting your account deletes all of it.
          </p>
          <h2>Which model answers</h2>
          <p>
            The chat says so. “Local demo model” means a small model on the same machine: private and free, quick to answer,
            and easily wrong. Check anything that matters.
          </p>
          <h2>From the keyboard</h2>
        </div>
        <div className="mt-4">
          <TwoColumns label="Keys" rows={shortcuts} />
        </div>
        <div className="prose mt-8 text-[1.02rem]">
          <h2>Without the model</h2>
          <p>Commands work at once, whatever the model is doing.</p>
        </div>
        <div className="mt-4">
          <TwoColumns label="Commands" rows={commands} />
        </div>
      </article>
    </PublicFrame>
  );
}
