import { quoted } from '../texts/shell-quoting';

export { traceIdOf } from '../api/trace-id';

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
