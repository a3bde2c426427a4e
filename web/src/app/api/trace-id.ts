const TRACE_ID = /^[0-9a-f]{32}$/;
// W3C trace context: version, trace id, parent id, flags
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;
const NO_TRACE = '0'.repeat(32);

/** The trace id in a pasted text, which may be a whole `traceparent`; null when it has none. */
export function traceIdOf(pasted: string): string | null {
  const text = pasted
    .trim()
    .toLowerCase()
    .replace(/^["']|["']$/g, '');
  const id = TRACEPARENT.exec(text)?.[1] ?? text;
  return TRACE_ID.test(id) && id !== NO_TRACE ? id : null;
}
