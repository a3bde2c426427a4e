import { quoted } from '../texts/shell-quoting';

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

export interface TraceCommands {
  /** For CloudWatch Logs Insights, over all four log groups. */
  readonly insights: string;
  /** For the AWS CLI, also with the emulator. */
  readonly awsCli: string;
  /** For the log files of the demo. */
  readonly files: string;
}

/**
 * The commands that find the log lines of one trace in all services.
 *
 * @param traceId a result of `traceIdOf`.
 * @param logs the folder of the log files.
 */
export function traceCommands(traceId: string, logs: string): TraceCommands {
  return {
    insights: [
      'fields @timestamp, service, level, message, orderId, status, path, outcome, reason',
      `| filter traceId = "${traceId}"`,
      '| sort @timestamp asc',
    ].join('\n'),
    awsCli: [
      'for service in order inventory processing notification; do',
      `  aws logs filter-log-events --log-group-name $service-service-logs --filter-pattern '"${traceId}"' \\`,
      "    --query 'events[].message' --output text | tr '\\t' '\\n'",
      'done | sort',
    ].join('\n'),
    files: `grep -h ${traceId} ${quoted(logs)}/*-service*.log | sort`,
  };
}
