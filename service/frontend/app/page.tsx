import { ArrowRight, Check, CornerDownLeft } from "lucide-react";
import Link from "next/link";
import { PublicFrame } from "@/components/shell/public-frame";
import { buttonLook } from "@/components/ui/button";
import { Mark } from "@/components/ui/wordmark";

const reasons = [
  {
    title: "It keeps your list",
    text: "Mention something to do and it becomes a task, with a date and a tag. Every change it makes is shown, and linked.",
  },
  {
    title: "It keeps its place",
    text: "Reload, switch to the phone, sit through an update: each conversation is where you left it, down to the word.",
  },
  {
    title: "It keeps to itself",
    text: "Your conversations live in a database you run. Pick the model: one in the cloud, or one beside it on the same machine.",
  },
];

function ExampleConversation() {
  return (
    <figure aria-label="An example conversation" className="w-full min-w-0 rounded-2xl border border-line bg-surface p-5 shadow-lift sm:p-6">
      <div className="ml-auto w-fit max-w-[85%] rounded-2xl rounded-br-md bg-accent-soft px-4 py-2.5 text-[0.95rem]">
        Remind me to send Ines the figures by Friday
      </div>
      <div className="mt-5 flex gap-3">
        <Mark className="mt-0.5 size-6 shrink-0" />
        <div className="min-w-0 flex-1 space-y-3 text-[0.95rem]">
          <div className="flex items-center gap-3 rounded-xl border border-line bg-paper px-3.5 py-2.5">
            <span className="grid size-6 shrink-0 place-items-center rounded-full bg-accent text-accent-ink">
              <Check className="size-3.5" strokeWidth={3} aria-hidden />
            </span>
            <span className="min-w-0">
              <span className="block text-xs text-ink-faint">Task added</span>
              <span className="block truncate font-medium">Send Ines the figures</span>
            </span>
            <span className="ml-auto shrink-0 rounded-full bg-notice-soft px-2.5 py-0.5 text-xs font-medium text-notice">Friday</span>
          </div>
          <p>Done. It is on your list for Friday. Shall I draft the message that goes with them?</p>
        </div>
      </div>
      <div className="mt-6 flex items-center rounded-xl border border-line bg-paper px-4 py-3 text-sm text-ink-faint">
        Yes, two sentences, friendly
        <CornerDownLeft className="ml-auto size-4" aria-hidden />
      </div>
    </figure>
  );
}

export default function HomePage() {
  return (
    <PublicFrame>
      <section className="mx-auto grid w-full max-w-5xl grid-cols-[minmax(0,1fr)] items-center gap-12 px-5 pb-16 pt-10 md:grid-cols-[1.05fr_1fr] md:pb-24 md:pt-20">
        <div>
          <h1 className="font-serif text-[2.6rem] leading-[1.06] font-medium tracking-[-0.022em] text-balance sm:text-6xl">
            Say it once. It’s on the list.
          </h1>
          <p className="mt-6 max-w-[34ch] text-lg text-ink-soft text-pretty">
            A chat that answers, and looks after the tasks that come up while you talk.
          </p>
          <div className="mt-8 flex flex-wrap items-center gap-3">
            <Link href="/signup" className={buttonLook("primary", "large")}>
              Start a conversation <ArrowRight className="size-4" aria-hidden />
            </Link>
            <Link href="/login" className={buttonLook("quiet", "large")}>
              I have an account
            </Link>
          </div>
        </div>
        <ExampleConversation />
      </section>
      <section aria-labelledby="reasons" className="border-t border-line bg-sunken">
        <h2 id="reasons" className="sr-only">
          What it does
        </h2>
        <div className="mx-auto grid w-full max-w-5xl gap-10 px-5 py-14 md:grid-cols-3 md:gap-12 md:py-20">
          {reasons.map(({ title, text }) => (
            <div key={title}>
              <h3 className="font-serif text-xl font-medium tracking-tight">{title}</h3>
              <p className="mt-2 text-[0.95rem] text-ink-soft text-pretty">{text}</p>
            </div>
          ))}
        </div>
      </section>
    </PublicFrame>
  );
}
