const plural = (number: number, one: string, many: string): string =>
  `${number.toLocaleString('en')} ${number === 1 ? one : many}`;

const duration = (seconds: number): string => {
  if (seconds < 1) return `${Math.round(seconds * 1000).toString()} ms`;
  if (seconds < 90) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60).toString()} min` : `${(seconds / 3600).toFixed(1)} h`;
};

const count = (value: number): string =>
  value.toLocaleString('en', { maximumFractionDigits: value < 10 && !Number.isInteger(value) ? 1 : 0 });

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const percentiles = { 50: 'p50', 95: 'p95', 99: 'p99' } as const;

export const operations = {
  nav: 'Operations',
  pageTitle: 'Operations · Orderstream',
  title: 'Operations',
  duration,
  count,
  none: '–',
  asOf: (time: string): string => `Updated ${time}`,
  stale: (service: string, time: string | null): string =>
    time === null ? `The ${service} returns no metrics.` : `The ${service} returns no metrics. Values as of ${time}.`,

  status: {
    label: 'State of the system',
    levels: { ok: 'Healthy', warn: 'Degraded', bad: 'Critical' },
    unknown: 'Checking all services',
    healthy: 'All services are ready. No queue has a backlog, no order is late.',
  },
  replica: (service: string, number: number, of: number): string =>
    of > 1 ? `${capital(service)} ${number.toString()}` : capital(service),
  findings: {
    unreachable: (replica: string): string => `${replica} can’t be reached.`,
    notReady: (replica: string, failing: readonly string[]): string =>
      failing.length > 0 ? `${replica} is not ready: ${failing.join(', ')}.` : `${replica} is not ready.`,
    deadLetters: (queue: string, number: number): string => `${plural(number, 'message', 'messages')} in ${queue}.`,
    backlog: (queue: string, number: number): string =>
      `${plural(number, 'message waits', 'messages wait')} in ${queue}.`,
    depthStale: (queues: readonly string[], seconds: number): string =>
      `The depth of ${queues.join(', ')} was last updated ${duration(seconds)} ago.`,
    outbox: (service: string, pending: number, seconds: number): string =>
      `The outbox of the ${service} has ${plural(pending, 'unsent event', 'unsent events')}, the oldest ${duration(seconds)} old.`,
    lateSagas: (late: number, seconds: number): string =>
      `${plural(late, 'order is late', 'orders are late')}, the oldest saga has been open for ${duration(seconds)}.`,
    circuit: (service: string, client: string): string =>
      `The circuit breaker of the ${service} for the ${client} is open.`,
    pushLag: (number: number): string =>
      `The live push lags ${plural(number, 'notification', 'notifications')} behind the feed.`,
    refusals: (number: number): string =>
      `${plural(number, 'push connection was', 'push connections were')} refused in the last minute.`,
    failures: (service: string, number: number): string =>
      `The ${service} answered ${plural(number, 'request', 'requests')} with status 500 in the last minute.`,
    lostLines: (service: string, number: number): string =>
      `The ${service} dropped ${plural(number, 'log line', 'log lines')} in the last minute.`,
  },

  services: {
    title: 'Services',
    states: { unknown: 'Checking', ready: 'Ready', 'not-ready': 'Not ready', unreachable: 'Can’t be reached' },
    number: (number: number): string => `Replica ${number.toString()}`,
    checks: (number: number): string => `${plural(number, 'check passes', 'checks pass')}`,
    balanced: 'A load balancer answers: with several replicas, each response is from one of them.',
    outcome: (name: string, outcome: string): string => `${name}: ${outcome}`,
    noAnswer: 'No response.',
  },

  charts: {
    title: 'Last 15 minutes',
    note: 'Since this page was opened. Rates and percentiles cover the preceding minute.',
    empty: 'Not enough data',
    emptyDetail: 'The first points appear ten seconds after the page is opened, once there is traffic.',
    failed: 'The charts failed to load',
    failedDetail: 'The tables have the same data.',
    table: 'Table',
    tableOf: (chart: string): string => `${chart}, minute by minute`,
    time: 'Time',
    now: 'now',
    ago: (minutes: number): string => `−${minutes.toString()} min`,
    nothing: 'No data yet.',
    summary: (latest: readonly string[], highest: string): string => `Now: ${latest.join(', ')}. Highest: ${highest}.`,
    latest: (series: string, value: string): string => `${series} ${value}`,
    orders: {
      title: 'Orders per minute',
      series: { placed: 'Placed', closed: 'Closed', failed: 'Failed' },
    },
    placing: {
      title: 'Latency of placing an order',
      series: { placing50: percentiles[50], placing95: percentiles[95], placing99: percentiles[99] },
    },
    completing: {
      title: 'Duration of sagas',
      series: { completing50: percentiles[50], completing95: percentiles[95], completing99: percentiles[99] },
    },
    queues: {
      title: 'Messages in queues',
      series: { processingQueue: 'Processing', notificationQueue: 'Notification', deadLetters: 'Dead letters' },
    },
    push: {
      title: 'Notifications pushed per second',
      series: { deliveries: 'Deliveries' },
    },
  },

  queues: {
    title: 'Queues',
    queue: 'Queue',
    visible: 'Visible',
    inFlight: 'In flight',
    delayed: 'Delayed',
    deadLetters: 'dead letters',
    empty: 'No service reports a queue.',
    age: (seconds: number): string => `as of ${duration(seconds)} ago`,
  },

  lag: {
    title: 'Outboxes and sagas',
    where: 'Outbox',
    pending: 'Unsent events',
    oldest: 'Oldest',
    empty: 'No service reports an outbox.',
    noSagas: 'The processing service reports no sagas.',
    sagas: 'Open sagas',
    state: 'State',
    open: 'Open',
    late: 'late',
    total: 'Total',
    oldestOpen: 'Oldest open saga',
    lateSagas: 'Late, over 30 s',
  },

  late: {
    title: 'Late orders',
    none: 'No late orders',
    noneDetail: 'An order is late when its saga has been open for over 30 s.',
    unreachable: 'The late orders are unknown',
    order: (orderId: number, version: number): string => `Order ${orderId.toString()}, version ${version.toString()}`,
    state: 'State',
    attempts: 'Attempts',
    next: 'Next attempt',
    error: 'Last error',
    noError: 'None: the saga is waiting for its next run.',
    shown: (shown: number, late: number): string => `The newest ${shown.toString()} of ${late.toLocaleString('en')}.`,
  },

  push: {
    title: 'Live push',
    empty: 'No notification service reports connections.',
    protocol: 'Protocol',
    protocols: { sse: 'SSE', 'sse-http10': 'SSE over HTTP/1.0', ws: 'WebSocket' } as Readonly<Record<string, string>>,
    live: 'Live',
    catchingUp: 'Catching up',
    ending: 'Closing',
    deliveries: 'Notifications pushed',
    perSecond: (rate: number): string => `${count(rate)} per second`,
    lag: 'Feed lag',
    resets: 'Resets',
    aborts: 'Connections aborted',
    refusals: 'Connections refused',
    counted: (total: number, lastMinute: number): string =>
      lastMinute > 0 ? `${count(total)}, ${count(lastMinute)} in the last minute` : count(total),
    never: 'none',
    reasons: {
      stalled: 'write timeout',
      behind: 'too far behind',
      stuck: 'close timeout',
      flood: 'rate limit exceeded',
      'process-full': 'connection limit of the process',
      'address-full': 'connection limit of the address',
      draining: 'draining',
      'feed-away': 'feed unavailable',
      gone: 'client disconnected',
    } as Readonly<Record<string, string>>,
  },

  stock: {
    title: 'Stock',
    product: 'Product',
    find: 'Find',
    stockOf: (productId: string): string => `Stock of ${productId}`,
    newProduct: (productId: string): string => `There is no product ${productId}. Stock of a new one`,
    save: 'Set stock',
    add: 'Add product',
    saved: (productId: string, stock: number): string => `The stock of ${productId} is ${stock.toString()}.`,
    stale: 'The stock was changed meanwhile. The current one is shown: check it and try again.',
    wrong: 'A whole number from 0.',
  },
  trace: {
    title: 'Find a trace',
    intro:
      'The logs are in CloudWatch Logs and in the files of the demo, which a page can’t read. Paste a trace id, for example that of an order, and copy a command that finds its log lines in all services.',
    label: 'Trace id or traceparent',
    wrong: 'A trace id has 32 hexadecimal digits.',
    insights: 'CloudWatch Logs Insights, over the four log groups',
    awsCli: 'AWS CLI; for the demo add --endpoint-url',
    files: 'Log files of the demo',
  },
} as const;
