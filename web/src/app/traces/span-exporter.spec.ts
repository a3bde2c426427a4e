import { Span, SpanKind } from './span';
import { SpanExporter } from './span-exporter';

const URL = 'https://shop.example/otlp/v1/traces';
const SPAN: Span = {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  name: 'place order',
  kind: SpanKind.client,
  startedMs: 0,
  endedMs: 1,
  attributes: {},
};

describe('SpanExporter', () => {
  const send = vi.fn<typeof fetch>();
  const warn = vi.fn();
  let exporter: SpanExporter;

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal(
      'fetch',
      send.mockReset().mockImplementation(() => Promise.resolve(new Response('{}'))),
    );
    vi.spyOn(console, 'warn').mockImplementation(warn.mockReset());
    exporter = new SpanExporter(URL);
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  const put = (count: number): void => {
    for (let each = 0; each < count; each += 1) exporter.put(SPAN);
  };

  const sent = (call = 0): number =>
    (JSON.parse(send.mock.calls[call]![1]!.body as string) as { resourceSpans: [{ scopeSpans: [{ spans: [] }] }] })
      .resourceSpans[0].scopeSpans[0].spans.length;

  it('sends what comes within a second in one request that outlives the page', async () => {
    put(2);
    expect(send).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(send).toHaveBeenCalledExactlyOnceWith(URL, expect.objectContaining({ method: 'POST', keepalive: true }));
    expect(sent()).toBe(2);
    put(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent(1)).toBe(1);
  });

  it('sends at once when the page is left', () => {
    put(1);
    vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
    document.dispatchEvent(new Event('visibilitychange'));
    expect(sent()).toBe(1);
  });

  it('is bounded', async () => {
    put(200);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent()).toBe(64);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['refuses', () => Promise.resolve(new Response('', { status: 503 }))],
    ['is away', () => Promise.reject(new TypeError('Failed to fetch'))],
  ])('says so once when the collector %s, and goes on', async (_, answer) => {
    send.mockImplementation(answer);
    put(3);
    await vi.advanceTimersByTimeAsync(1_000);
    put(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('3 and those after them'));
    expect(send).toHaveBeenCalledTimes(2);
  });
});
