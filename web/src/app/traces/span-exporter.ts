import { Span, exportRequest } from './span';

const LINGER_MS = 1_000;
const LIMIT_MS = 10_000;
/** A request that outlives its page may have 64 KiB; a span is some 700 bytes. */
const MAX_BUFFERED = 64;

/** Sends spans to a collector, a second after the first of them or when the page is left; it never fails. */
export class SpanExporter {
  private readonly buffer: Span[] = [];
  private dropped = 0;

  constructor(private readonly url: string) {
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden') void this.flush();
    });
  }

  put(span: Span): void {
    if (this.buffer.length === MAX_BUFFERED) this.drop(1);
    else if (this.buffer.push(span) === 1) setTimeout(() => void this.flush(), LINGER_MS);
  }

  private async flush(): Promise<void> {
    const spans = this.buffer.splice(0);
    if (spans.length === 0) return;
    try {
      const response = await fetch(this.url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(exportRequest(spans)),
        keepalive: true,
        credentials: 'omit',
        signal: AbortSignal.timeout(LIMIT_MS),
      });
      if (!response.ok) throw new Error(response.status.toString());
    } catch {
      this.drop(spans.length);
    }
  }

  private drop(count: number): void {
    if (this.dropped === 0) {
      // eslint-disable-next-line no-console -- nobody else is to be bothered, and once is enough
      console.warn(`Spans were not exported to ${this.url}: ${count.toString()} and those after them.`);
    }
    this.dropped += count;
  }
}
