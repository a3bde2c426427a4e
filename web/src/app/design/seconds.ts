import { DestroyRef, Signal, inject, signal } from '@angular/core';

const TICK_MS = 1_000;

/** The time by *clock*, each second anew, until the injection context is destroyed. */
export function seconds(clock: () => number = Date.now): Signal<number> {
  const now = signal(clock());
  const timer = setInterval(() => now.set(clock()), TICK_MS);
  inject(DestroyRef).onDestroy(() => clearInterval(timer));
  return now.asReadonly();
}
