"use client";

import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

const nearEnoughPixels = 80;

/**
 * Keeps the newest words in view for someone who reads along, and leaves alone someone who has scrolled up.
 * `content` is what grows; `key` changes with the conversation, which then shows its end.
 */
export function useStickToBottom(content: unknown, key: string) {
  const scroller = useRef<HTMLDivElement>(null);
  const sticking = useRef(true);
  const [away, setAway] = useState(false);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const onScroll = () => {
      sticking.current = element.scrollHeight - element.scrollTop - element.clientHeight < nearEnoughPixels;
      setAway(!sticking.current);
    };
    element.addEventListener("scroll", onScroll, { passive: true });
    return () => element.removeEventListener("scroll", onScroll);
  }, []);

  const toEnd = useCallback(() => {
    sticking.current = true;
    scroller.current?.scrollTo({ top: scroller.current.scrollHeight });
  }, []);

  useLayoutEffect(toEnd, [key, toEnd]);
  useLayoutEffect(() => {
    if (sticking.current) scroller.current?.scrollTo({ top: scroller.current.scrollHeight });
  }, [content]);

  return { scroller, away, toEnd };
}
