"use client";

import { useRef, useState, type PointerEvent } from "react";

type Drag = { id: string; from: number; to: number };

/**
 * Ordering by pointer: the handle is grabbed, the row follows in steps, and letting go asks for the move.
 * Esc or a lost pointer leaves everything where it was. `rows` finds the list's elements in their present order.
 */
export function useReorder(onMove: (id: string, place: number) => void) {
  const [drag, setDrag] = useState<Drag | null>(null);
  const list = useRef<HTMLUListElement>(null);

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
      onPointerDown: (event: PointerEvent<HTMLElement>) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag({ id, from: index, to: index });
      },
      onPointerMove: (event: PointerEvent<HTMLElement>) => {
        if (drag?.id === id) setDrag({ ...drag, to: placeAt(event.clientY, id) });
      },
      onPointerUp: () => {
        if (drag?.id !== id) return;
        setDrag(null);
        if (drag.to !== drag.from) onMove(id, drag.to);
      },
      onPointerCancel: () => setDrag(null),
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
