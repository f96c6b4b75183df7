"use client";

import { isValidElement, memo, type ComponentProps, type ReactElement, type ReactNode } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { CopyButton } from "@/components/ui/copy-button";

function plainText(node: ReactNode): string {
  if (typeof node === "string") return node;
  if (Array.isArray(node)) return node.map(plainText).join("");
  if (isValidElement(node)) return plainText((node as ReactElement<{ children?: ReactNode }>).props.children);
  return "";
}

function CodeBlock({ children }: ComponentProps<"pre">) {
  const code = isValidElement(children) ? (children as ReactElement<{ className?: string }>) : null;
  const language = /language-(\S+)/.exec(code?.props.className ?? "")?.[1] ?? "text";
  return (
    <figure aria-label={`Code, ${language}`} className="overflow-hidden rounded-xl border border-line bg-sunken">
      <figcaption className="flex items-center justify-between border-b border-line py-1 pl-4 pr-1.5 font-mono text-xs text-ink-faint">
        {language}
        <CopyButton label="Copy the code" text={plainText(children).replace(/\n$/, "")} />
      </figcaption>
      {/* Focusable, because what scrolls sideways must scroll from the keyboard too. */}
      <pre tabIndex={0} role="region" aria-label="Code">
        {children}
      </pre>
    </figure>
  );
}

const components: Components = {
  pre: CodeBlock,
  a: ({ node: _node, children, ...rest }) => (
    <a {...rest} target="_blank" rel="noreferrer noopener">
      {children}
    </a>
  ),
  // A model could leak a conversation through an image's address; the policy blocks loading it, so show the link.
  img: ({ src, alt }) => (
    <a href={typeof src === "string" ? src : undefined} target="_blank" rel="noreferrer noopener">
      {alt || "image"}
    </a>
  ),
  table: ({ node: _node, ...rest }) => <table tabIndex={0} {...rest} />,
  // The page has its own headings; an answer's begin one level below them.
  h1: ({ node: _node, ...rest }) => <h3 {...rest} />,
  h2: ({ node: _node, ...rest }) => <h3 {...rest} />,
  h3: ({ node: _node, ...rest }) => <h4 {...rest} />,
};

const plugins = [remarkGfm];

/** Markdown as the model wrote it; HTML inside it stays text. */
export const Markdown = memo(function Markdown({ text, writing = false }: { text: string; writing?: boolean }) {
  return (
    <div className={`prose ${writing ? "writing" : ""}`}>
      <ReactMarkdown remarkPlugins={plugins} components={components}>
        {text}
      </ReactMarkdown>
    </div>
  );
});
