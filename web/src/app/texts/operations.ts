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

const percentiles = { 50: 'Half within', 95: '95 % within', 99: '99 % within' } as const;

export const operations = {
  nav: 'Operations',
  pageTitle: 'Operations · Orderstream',
  title: 'Operations',
  duration,
  count,
  none: '–',
  asOf: (time: string): string => `Looked at ${time}`,
  stale: (service: string, time: string | null): string =>
    time === null
      ? `The ${service} does not tell its numbers.`
      : `The ${service} does not tell its numbers. These are of ${time}.`,

  status: {
    label: 'State of the system',
    levels: { ok: 'All well', warn: 'Worth a look', bad: 'Something is broken' },
    unknown: 'Asking every service how it is',
    well: 'Every service is ready, nothing waits, nothing is late.',
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
      `SQS has not told for ${duration(seconds)} how many messages are in ${queues.join(', ')}.`,
    outbox: (service: string, pending: number, seconds: number): string =>
      `The ${service} can’t send ${plural(pending, 'event', 'events')}, the oldest for ${duration(seconds)}.`,
    lateSagas: (late: number, seconds: number): string =>
      `${plural(late, 'order is late', 'orders are late')}, the oldest is open for ${duration(seconds)}.`,
    circuit: (service: string, client: string): string => `The ${service} has stopped asking the ${client} for now.`,
    pushLag: (number: number): string =>
      `The push is ${plural(number, 'notification', 'notifications')} behind the table.`,
    refusals: (number: number): string =>
      `${plural(number, 'live connection was', 'live connections were')} refused in the last minute.`,
    failures: (service: string, number: number): string =>
      `The ${service} answered ${plural(number, 'request', 'requests')} with an unforeseen error in the last minute.`,
    lostLines: (service: string, number: number): string =>
      `The ${service} lost ${plural(number, 'log line', 'log lines')} in the last minute.`,
  },

  services: {
    title: 'Services',
    states: { unknown: 'Asking', ready: 'Ready', 'not-ready': 'Not ready', unreachable: 'Can’t be reached' },
    number: (number: number): string => `Replica ${number.toString()}`,
    checks: (number: number): string => `${plural(number, 'check passes', 'checks pass')}`,
    balanced: 'Behind one address: with several replicas, one of them answers each time.',
    outcome: (name: string, outcome: string): string => `${name}: ${outcome}`,
    noAnswer: 'No answer.',
  },

  charts: {
    title: 'Last 15 minutes',
    note: 'Since this page was opened. Rates and percentiles are those of the minute before.',
    empty: 'Not enough seen yet',
    emptyDetail: 'The first points come ten seconds after the page is opened, and when there is something to measure.',
    failed: 'The charts can’t be drawn',
    failedDetail: 'Their code could not be loaded. The tables have the same numbers.',
    table: 'As a table',
    tableOf: (chart: string): string => `${chart}, minute by minute`,
    time: 'Time',
    now: 'now',
    ago: (minutes: number): string => `−${minutes.toString()} min`,
    nothing: 'No data yet.',
    summary: (latest: readonly string[], highest: string): string => `Now: ${latest.join(', ')}. Highest: ${highest}.`,
    latest: (series: string, value: string): string => `${series} ${value}`,
    orders: {
      title: 'Orders a minute',
      series: { placed: 'Placed', closed: 'Closed', failed: 'Failed' },
    },
    placing: {
      title: 'Time to place an order',
      series: { placing50: percentiles[50], placing95: percentiles[95], placing99: percentiles[99] },
    },
    completing: {
      title: 'Time from the queue to closed',
      series: { completing50: percentiles[50], completing95: percentiles[95], completing99: percentiles[99] },
    },
    queues: {
      title: 'Messages in queues',
      series: { processingQueue: 'Processing', notificationQueue: 'Notification', deadLetters: 'Dead letters' },
    },
    push: {
      title: 'Notifications pushed a second',
      series: { deliveries: 'Deliveries' },
    },
  },

  queues: {
    title: 'Queues',
    queue: 'Queue',
    visible: 'Waiting',
    inFlight: 'In flight',
    delayed: 'Delayed',
    deadLetters: 'dead letters',
    empty: 'No service tells of a queue.',
    age: (seconds: number): string => `as of ${duration(seconds)} ago`,
  },

  lag: {
    title: 'Outboxes and sagas',
    where: 'Waiting to be sent',
    pending: 'Events',
    oldest: 'Oldest',
    empty: 'No service tells of an outbox.',
    noSagas: 'The processing service has not told of its sagas.',
    sagas: 'Open sagas',
    state: 'State',
    open: 'Open',
    late: 'late',
    total: 'All',
    oldestOpen: 'Oldest open saga',
    lateSagas: 'Late, over 30 s',
  },

  late: {
    title: 'Late orders',
    none: 'No order is late',
    noneDetail: 'An order is late when its saga has been open for over 30 s.',
    unreachable: 'The late orders are not known',
    order: (orderId: number, version: number): string => `Order ${orderId.toString()}, version ${version.toString()}`,
    state: 'State',
    attempts: 'Attempts',
    next: 'Next try',
    error: 'Last error',
    noError: 'No step has failed: it waits for its turn.',
    shown: (shown: number, late: number): string => `The newest ${shown.toString()} of ${late.toLocaleString('en')}.`,
  },

  push: {
    title: 'Live push',
    empty: 'No notification service tells of its connections.',
    protocol: 'Protocol',
    protocols: { sse: 'SSE', 'sse-http10': 'SSE over HTTP/1.0', ws: 'WebSocket' } as Readonly<Record<string, string>>,
    live: 'Live',
    catchingUp: 'Catching up',
    ending: 'Ending',
    deliveries: 'Notifications pushed',
    perSecond: (rate: number): string => `${count(rate)} a second`,
    lag: 'Not read from the table yet',
    resets: 'Clients told that some may be missing',
    aborts: 'Connections cut',
    refusals: 'Connections refused',
    counted: (total: number, lastMinute: number): string =>
      lastMinute > 0 ? `${count(total)}, ${count(lastMinute)} in the last minute` : count(total),
    never: 'none',
    reasons: {
      stalled: 'took nothing',
      behind: 'too far behind',
      stuck: 'did not end',
      flood: 'talked too much',
      'process-full': 'process full',
      'address-full': 'too many of one address',
      draining: 'process stopping',
      'feed-away': 'feed away',
      gone: 'client gone',
    } as Readonly<Record<string, string>>,
  },

  trace: {
    title: 'Follow a trace',
    intro:
      'The logs are in CloudWatch Logs and in the files of the demo, which a page has no right to read. Paste a trace id, for example of an order, and copy what finds its lines in all services.',
    label: 'Trace id or traceparent',
    wrong: 'A trace id has 32 digits from 0 to f.',
    insights: 'CloudWatch Logs Insights, over the four log groups',
    awsCli: 'AWS command line; for the demo add --endpoint-url',
    files: 'Log files of the demo, from the folder of the checkout',
  },
} as const;
