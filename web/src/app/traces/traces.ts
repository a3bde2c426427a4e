import { Injectable, inject } from '@angular/core';

import { Endpoints } from '../api/endpoints';
import { Feed } from '../push/feed';
import { Unloaded } from '../unloaded';
import type { OrderRecorder, PlacingOrder } from './order-recorder';

/** The traces of orders that this tab places, where the configuration asks for them. */
@Injectable({ providedIn: 'root' })
export class Traces {
  private readonly endpoints = inject(Endpoints);
  private recorder: OrderRecorder | null = null;

  constructor() {
    const configured = this.endpoints.traces;
    if (configured === null) return;
    const feed = inject(Feed);
    inject(Unloaded)
      .part(() => Promise.all([import('./order-recorder'), import('./span-exporter')]))
      .then(([{ OrderRecorder }, { SpanExporter }]) => {
        const exporter = new SpanExporter(configured.url);
        this.recorder = new OrderRecorder(configured.ratio, feed, (span) => exporter.put(span));
      })
      // a page without traces is better than one that complains of them
      .catch(() => undefined);
  }

  /** Begins the trace of an order that is being placed; null without traces. */
  placing(): PlacingOrder | null {
    return this.recorder?.placing(this.endpoints.url('order', '/orders')) ?? null;
  }
}
