export const common = {
  retry: 'Try again',
  no: 'No',
  loading: 'Loading',
  copy: 'Copy',
  copied: 'Copied',
  notCopied: 'Copying failed',
  trace: 'Trace',
  unreachable: (service: string): string => `The ${service} can’t be reached.`,
  /** Of an attempt that is not repeated by itself. */
  wasUnreachable: (service: string): string => `The ${service} could not be reached.`,
  unexpected: 'Something went wrong.',
  signInNeeded: 'You have to sign in again.',
  forbidden: 'Your account may not do this.',
  services: {
    order: 'order service',
    inventory: 'inventory service',
    notification: 'notification service',
    processing: 'processing service',
  },
  protocols: { sse: 'SSE', ws: 'WebSocket' },
  statuses: {
    CREATED: 'Created',
    UPDATED: 'Updated',
    CLOSED: 'Closed',
    FAILED: 'Failed',
    CANCELLED: 'Cancelled',
  },
} as const;
