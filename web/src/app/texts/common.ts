import { fixed } from './language';

export const common = {
  retry: $localize`Try again`,
  no: $localize`No`,
  loading: $localize`Loading`,
  /** How old values are. */
  asOf: (seconds: number): string =>
    seconds < 90
      ? $localize`As of ${seconds.toString()}:seconds: s ago`
      : $localize`As of ${Math.floor(seconds / 60).toString()}:minutes: min ago`,
  milliseconds: (value: number, digits: number): string => `${fixed(value, digits)} ms`,
  seconds: (value: number, digits: number): string => `${fixed(value, digits)} s`,
  copy: $localize`Copy`,
  copied: $localize`Copied`,
  notCopied: $localize`Copying failed`,
  trace: $localize`Trace`,
  unreachable: (service: string): string => $localize`The ${service}:service: is unavailable.`,
  /** Of an attempt that is not repeated by itself. */
  wasUnreachable: (service: string): string => $localize`The ${service}:service: could not be reached.`,
  unexpected: $localize`Something went wrong.`,
  signInNeeded: $localize`You have to sign in again.`,
  forbidden: $localize`Your account may not do this.`,
  services: {
    order: $localize`order service`,
    inventory: $localize`inventory service`,
    notification: $localize`notification service`,
    processing: $localize`processing service`,
  },
  protocols: { sse: 'SSE', ws: 'WebSocket' },
  statuses: {
    CREATED: $localize`Created`,
    UPDATED: $localize`Updated`,
    CLOSED: $localize`Closed`,
    FAILED: $localize`Failed`,
    CANCELLED: $localize`Cancelled`,
  },
} as const;
