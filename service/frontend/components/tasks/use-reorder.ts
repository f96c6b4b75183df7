"use client";

import { useEffect, useRef, useState, type PointerEvent as ReactPointerEvent } from "react";

type Drag = { id: string; from: number; to: number };

/**
 * Ordering by pointer: the handle is grabbed, the rows make way in steps, and letting go asks for the move.
 * Esc or a lost pointer leaves everything where it was. The pointer is followed on the window: the grabbed row
 * changes its place in the document, and with that an element loses a pointer it had captured.
 */
export function useReorder(onMove: (id: string, place: number) => void) {
  const [drag, setDrag] = useState<Drag | null>(null);
  const list = useRef<HTMLUListElement>(null);
  const following = useRef<AbortController | null>(null);

  useEffect(() => () => following.current?.abort(), []);

  function placeAt(y: number, id: string): number {
    const rows = [...(list.current?.querySelectorAll<HTMLElement>("[data-task]") ?? [])].filter((row) => row.dataset.task !== id);
    const below = rows.findIndex((row) => {
      const { top, height } = row.getBoundingClientRect();
      return y < top + height / 2;
    });
    return below < 0 ? rows.length : below;
  }

  function handleFor(id: string, index: number) {
    return {
      onPointerDown: (event: ReactPointerEvent<HTMLElement>) => {
        if (event.button !== 0) return;
        event.preventDefault(); // no text is selected on the way
        event.currentTarget.focus();
        const { signal } = (following.current = new AbortController());
        const drop = () => {
          following.current?.abort();
          setDrag(null);
        };
        let to = index;
        setDrag({ id, from: index, to });
        window.addEventListener(
          "pointermove",
          ({ clientY }) => {
            to = placeAt(clientY, id);
            setDrag({ id, from: index, to });
          },
          { signal },
        );
        window.addEventListener(
          "pointerup",
          () => {
            drop();
            if (to !== index) onMove(id, to);
          },
          { signal },
        );
        window.addEventListener("pointercancel", drop, { signal });
        window.addEventListener("keydown", ({ key }) => key === "Escape" && drop(), { signal });
      },
    };
  }

  /** The list in the order it would have if the pointer were let go now. */
  function preview<Item extends { id: string }>(items: Item[]): Item[] {
    const dragged = drag && items.find(({ id }) => id === drag.id);
    if (!drag || !dragged) return items;
    const others = items.filter(({ id }) => id !== drag.id);
    return [...others.slice(0, drag.to), dragged, ...others.slice(drag.to)];
  }

  return { list, dragged: drag?.id ?? null, handleFor, preview };
}
