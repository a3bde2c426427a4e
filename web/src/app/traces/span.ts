/** A span of the page, as OpenTelemetry has it; times are in milliseconds since 1970. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: SpanKind;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** Whether it failed. */
  readonly failed?: boolean;
}

/** By their numbers in OTLP. */
export const SpanKind = { internal: 1, client: 3 } as const;
export type SpanKind = (typeof SpanKind)[keyof typeof SpanKind];

/** Where a trace begins: 32 hex digits for the trace, 16 for its first span. */
export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
}

// https://www.w3.org/TR/trace-context-2/#trace-flags
const SAMPLED = 1;
const RANDOM_TRACE_ID = 2;
const STATUS_ERROR = 2;
const RANDOM_DIGITS = 14;
const HEX = 16;

/** A new trace, sampled with the probability *ratio*: by its id, as `traceidratio` of the services decides. */
export function newTrace(ratio: number, hex: (bytes: number) => string = randomHex): TraceContext {
  const traceId = hex(16);
  // BigInt: the last seven bytes of the id, which are the random ones, are more than a number holds
  const below = BigInt(Math.round(ratio * 2 ** (4 * RANDOM_DIGITS)));
  return { traceId, spanId: newSpanId(hex), sampled: BigInt(`0x${traceId.slice(-RANDOM_DIGITS)}`) < below };
}

export function newSpanId(hex: (bytes: number) => string = randomHex): string {
  return hex(8);
}

/** The header that continues *trace* (https://www.w3.org/TR/trace-context-2/#traceparent-header). */
export function traceparent(trace: TraceContext): string {
  return `00-${trace.traceId}-${trace.spanId}-${flags(trace.sampled).toString(HEX).padStart(2, '0')}`;
}

/** An ExportTraceServiceRequest in JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). */
export function exportRequest(spans: readonly Span[]): object {
  const resource = {
    'service.name': 'web',
    'telemetry.sdk.name': 'orderstream-web',
    'telemetry.sdk.language': 'webjs',
  };
  return {
    resourceSpans: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeSpans: [{ scope: { name: 'orderstream-web' }, spans: spans.map(encoded) }],
      },
    ],
  };
}

function encoded({ startedMs, endedMs, attributes, failed, ...span }: Span): object {
  return {
    ...span,
    flags: flags(true),
    startTimeUnixNano: nanoseconds(startedMs),
    endTimeUnixNano: nanoseconds(endedMs),
    attributes: attributesOf(attributes),
    ...(failed === true && { status: { code: STATUS_ERROR } }),
  };
}

function attributesOf(attributes: Readonly<Record<string, string | number>>): object[] {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === 'string' ? { stringValue: value } : { intValue: value.toString() },
  }));
}

function flags(sampled: boolean): number {
  return (sampled ? SAMPLED : 0) | RANDOM_TRACE_ID;
}

function nanoseconds(ms: number): string {
  return `${Math.trunc(ms).toString()}000000`;
}

function randomHex(bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (each) => each.toString(HEX).padStart(2, '0')).join(
    '',
  );
}
