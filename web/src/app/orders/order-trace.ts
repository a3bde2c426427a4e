import { ChangeDetectionStrategy, Component, computed, inject, input } from '@angular/core';

import { Endpoints } from '../api/endpoints';
import { CopyButton } from '../design/copy-button';
import { texts } from '../texts';
import { Phase } from './journey';

/** The trace ids of an order, and commands that find them in the logs of all services. */
@Component({
  selector: 'app-order-trace',
  imports: [CopyButton],
  template: `
    <section class="card" aria-labelledby="trace-title">
      <h2 id="trace-title">{{ texts.title }}</h2>
      <p class="soft small">{{ texts.hint }}</p>
      @for (trace of traces(); track trace.id) {
        <p class="id">
          <span class="small">{{ trace.title }}</span>
          <span class="code">{{ trace.id }}</span>
          <app-copy-button [text]="trace.id" [what]="common.trace" />
        </p>
      } @empty {
        <p class="soft">{{ texts.none }}</p>
      }
      @for (command of commands(); track command.where) {
        <p class="small">{{ command.where }}</p>
        <div class="command">
          <pre class="code" tabindex="0" role="group" [attr.aria-label]="command.where">{{ command.text }}</pre>
          <app-copy-button [text]="command.text" [what]="command.where" />
        </div>
      }
    </section>
  `,
  styles: `
    p {
      margin: 0 0 var(--space-2);
    }
    .id,
    .command {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: var(--space-1) var(--space-2);
    }
    .command {
      flex-wrap: nowrap;
      align-items: start;
      margin-block-end: var(--space-3);
    }
    pre {
      flex: 1;
      min-inline-size: 0;
      margin: 0;
      padding: var(--space-2);
      border-radius: var(--radius);
      background: var(--surface-sunken);
      white-space: pre-wrap;
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class OrderTrace {
  readonly phases = input.required<readonly Phase[]>();
  private readonly logs = inject(Endpoints).logs;
  protected readonly texts = texts.orders.trace;
  protected readonly common = texts.common;
  protected readonly traces = computed(() => {
    const titles = new Map<string, string>();
    for (const { traceId, cause, version } of this.phases()) {
      if (traceId !== null && !titles.has(traceId)) titles.set(traceId, texts.orders.journey.causes[cause](version));
    }
    return [...titles].map(([id, title]) => ({ id, title }));
  });
  protected readonly commands = computed(() => {
    const traces = this.traces().map((trace) => trace.id);
    if (traces.length === 0) return [];
    return [
      { where: this.texts.demo, text: this.texts.demoCommand(traces, this.logs) },
      { where: this.texts.insights, text: this.texts.insightsQuery(traces) },
    ];
  });
}
