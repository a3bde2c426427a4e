export const common = {
  retry: 'Try again',
  loading: 'Loading',
  copy: 'Copy',
  copied: 'Copied',
  notCopied: 'Copying failed',
  trace: 'Trace',
  unreachable: (service: string): string => `The ${service} can’t be reached.`,
  unexpected: 'Something went wrong.',
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
