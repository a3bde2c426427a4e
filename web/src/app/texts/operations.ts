const plural = (number: number, one: string, many: string): string =>
  `${number.toLocaleString('en')} ${number === 1 ? one : many}`;

const duration = (seconds: number): string => {
  if (seconds < 1) return `${Math.round(seconds * 1000).toString()} ms`;
  if (seconds < 90) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60).toString()} min` : `${(seconds / 3600).toFixed(1)} h`;
};

const count = (value: number): string =>
  value.toLocaleString('en', { maximumFractionDigits: value < 10 && !Number.isInteger(value) ? 1 : 0 });

const bytes = (value: number): string =>
  value < 1e9 ? `${Math.round(value / 1e6).toString()} MB` : `${(value / 1e9).toFixed(1)} GB`;

const list = new Intl.ListFormat('en');

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const percentiles = { 50: 'p50', 95: 'p95', 99: 'p99' } as const;

export const operations = {
  nav: 'Operations',
  pageTitle: 'Operations · Orderstream',
  title: 'Operations',
  duration,
  count,
  bytes,
  percent: (share: number): string => `${(share * 100).toFixed(share < 0.1 && share > 0 ? 1 : 0)} %`,
  none: '–',
  asOf: (time: string): string => `Updated ${time}`,
  stale: (service: string, time: string | null): string =>
    time === null ? `The ${service} returns no metrics.` : `The ${service} returns no metrics. Values as of ${time}.`,

  status: {
    label: 'State of the system',
    levels: { ok: 'Healthy', warn: 'Degraded', bad: 'Critical' },
    unknown: 'Checking all services',
    healthy: 'All services are ready. No queue has a backlog, no order is late.',
    healthySince: (time: string): string => `Healthy since ${time}`,
    watchedSince: (time: string): string => `Healthy, watched since ${time}`,
    since: (time: string): string => `Since ${time}.`,
    affected: (names: readonly string[]): string => `Affected: ${list.format(names)}.`,
    consequences: (number: number): string => plural(number, 'consequence', 'consequences'),
    before: 'Before',
    more: (number: number): string => `${plural(number, 'incident', 'incidents')} more, below.`,
  },
  dependencies: { postgresql: 'PostgreSQL', sqs: 'SQS' },
  replica: (service: string, number: number, of: number): string =>
    of > 1 ? `${capital(service)} ${number.toString()}` : capital(service),
  findings: {
    unreachable: (replica: string): string => `${replica} can’t be reached.`,
    notReady: (replica: string, failing: readonly string[]): string =>
      failing.length > 0 ? `${replica} is not ready: ${failing.join(', ')}.` : `${replica} is not ready.`,
    away: (dependency: string): string => `${dependency} can’t be reached by any service.`,
    cut: (dependency: string, replicas: readonly string[]): string =>
      `${dependency} can’t be reached by ${list.format(replicas)}.`,
    unavailable: (service: string, number: number, requests: number): string =>
      `The ${service} answered ${number.toLocaleString('en')} of ${plural(requests, 'request', 'requests')} with 502, 503 or 504 in the last minute.`,
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

  /** What a finding was, once it is over. */
  past: {
    away: (dependency: string): string => `${dependency} could not be reached.`,
    cut: (dependency: string, replicas: readonly string[]): string =>
      `${dependency} could not be reached by ${list.format(replicas)}.`,
    unreachable: (replica: string): string => `${replica} could not be reached.`,
    notReady: (replica: string, failing: readonly string[]): string =>
      failing.length > 0 ? `${replica} was not ready: ${failing.join(', ')}.` : `${replica} was not ready.`,
    deadLetters: (queue: string): string => `Messages in ${queue}.`,
    backlog: (queue: string): string => `Backlog in ${queue}.`,
    depthStale: 'The depth of queues was unknown.',
    outbox: (service: string): string => `The ${service} could not send its events.`,
    lateSagas: 'Orders were late.',
    circuit: (service: string, client: string): string =>
      `The circuit breaker of the ${service} for the ${client} was open.`,
    pushLag: 'The live push lagged behind the feed.',
    refusals: 'Push connections were refused.',
    failures: (service: string): string => `The ${service} answered requests with status 500.`,
    unavailable: (service: string): string => `The ${service} answered requests with 502, 503 or 504.`,
    lostLines: (service: string): string => `The ${service} dropped log lines.`,
  },
  /** What an alarm affects, in a list. */
  effects: {
    backlog: (queue: string): string => queue,
    lateSagas: (late: number): string => plural(late, 'late order', 'late orders'),
    push: 'live push',
  },
  incidents: {
    title: 'Incidents',
    note: 'What this tab has seen while this page was open, in the last 24 hours.',
    none: 'No incident seen.',
    lasts: (from: string): string => `since ${from}`,
    span: (from: string, until: string, seconds: number): string => `${from}–${until}, ${duration(seconds)}`,
    restarted: (replica: string): string => `${replica} was restarted.`,
    restartedAt: (replica: string, time: string): string => `${replica} was restarted at ${time}.`,
    was: (span: string, text: string): string => `${span}: ${text}`,
  },
  traffic: {
    title: 'Requests of the last minute',
    note: 'Without those for health and metrics.',
    service: 'Service',
    requests: 'Requests',
    failed: '5xx',
    refused: '4xx',
    limited: '429',
    p95: percentiles[95],
    empty: 'Known from the second poll on.',
    statuses: 'By status',
    status: 'Status',
    number: 'Requests',
    noRequests: 'No request in the last minute.',
    refusals: 'Refusals by reason',
    noRefusals: 'None since the services were started.',
    orders: (reason: string): string => `Order not placed: ${reason}`,
    problems: (reason: string): string => `Problem: ${reason}`,
    limits: (reason: string): string => `Request over a limit: ${reason}`,
    cut: (reason: string): string => `Connection cut: ${reason}`,
    reasons: {
      '400': 'malformed (400)',
      '401': 'not signed in (401)',
      '403': 'not allowed (403)',
      '408': 'too slow (408)',
      '409': 'out of stock (409)',
      '413': 'too large (413)',
      '415': 'not JSON (415)',
      '421': 'wrong host (421)',
      '422': 'invalid, or an unknown product (422)',
      '429': 'over a limit (429)',
      '499': 'the client left (499)',
      '500': 'unexpected error (500)',
      '503': 'a dependency is away (503)',
      address: 'of the client address',
      principal: 'of the person',
      head: 'the head did not arrive in time',
      body: 'the body did not arrive in time',
      bodies: 'incomplete bodies hold too much memory',
      unread: 'the client reads nothing',
      full: 'limit of open files',
      malformed: 'not HTTP',
    } as Readonly<Record<string, string>>,
  },
  saturation: {
    title: 'Saturation',
    note: 'Of several replicas, the fullest.',
    resource: 'Resource',
    cpu: 'CPU, of a core',
    memory: 'Memory',
    connections: 'Connections',
    files: 'Open files, of the limit',
    inFlight: 'Messages in flight',
    loopLag: 'Event loop lag, p99',
    pool: 'Database connections, of the limit',
    waiting: 'Statements waiting for one',
    empty: 'No service reports its saturation.',
  },

  services: {
    title: 'Services',
    states: { unknown: 'Checking', ready: 'Ready', 'not-ready': 'Not ready', unreachable: 'Can’t be reached' },
    up: (seconds: number, time: string): string => `Up ${duration(seconds)}, since ${time}`,
    version: (version: string): string => `Version ${version}`,
    waitsFor: (dependency: string): string => `Waits for ${dependency}.`,
    dependencyStates: { unknown: 'Unknown', ready: 'Ready', partly: 'Partly away', away: 'Can’t be reached' },
    reachedBy: (services: readonly string[]): string => `Reached by ${list.format(services)}.`,
    unreachedBy: (replica: string, reason: string): string => `${replica}: ${reason}`,
    noReports: 'No service reports about it.',
    number: (number: number): string => `Replica ${number.toString()}`,
    checks: (number: number): string => `${plural(number, 'check passes', 'checks pass')}`,
    balanced: 'A load balancer answers: with several replicas, each response is from one of them.',
    outcome: (name: string, outcome: string): string => `${name}: ${outcome}`,
    noAnswer: 'No response.',
  },

  charts: {
    title: 'Last 15 minutes',
    note: 'Of the time in which this page was open in this tab. Rates and percentiles cover the preceding minute. Shaded: incidents; dashed upright lines: restarts.',
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
      series: { placed: 'Placed', refused: 'Refused', closed: 'Closed', failed: 'Failed' },
    },
    errors: {
      title: 'Failed and refused requests per minute',
      series: { requestsFailed: '5xx', requestsRefused: '4xx', requestsLimited: '429' },
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
    retry: 'Retry now',
    question: (orderId: number): string => `Run the waiting step of order ${orderId.toString()} at once?`,
    yes: 'Yes, retry',
    retried: (orderId: number): string => `The waiting step of order ${orderId.toString()} is due now.`,
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

  demo: {
    title: 'Break the demo',
    hint: 'Watch above how it is noticed, and how the system heals by itself. No order is lost.',
    place: 'Place 100 orders',
    placed: (placed: number, refused: number): string =>
      refused === 0
        ? `${plural(placed, 'order was', 'orders were')} placed.`
        : `${plural(placed, 'order was', 'orders were')} placed, ${refused.toString()} were refused.`,
    freeze: 'Freeze inventory for 20 s',
    freezeQuestion: 'Suspend the inventory service?',
    freezeYes: 'Yes, freeze it',
    frozen: (seconds: number): string => `The inventory service answers nothing for ${seconds.toString()} s.`,
    kill: 'Kill processing',
    killQuestion: 'Kill the processing service with SIGKILL?',
    killYes: 'Yes, kill it',
    killed: (count: number): string =>
      `${count.toString()} ${count === 1 ? 'process was killed, and is' : 'processes were killed, and are'} started again.`,
  },
  deadLetters: {
    title: 'Dead letters',
    hint: 'Messages that could not be processed. Looking receives them, so that others don’t see them for a moment.',
    look: (waiting: number): string =>
      waiting > 0 ? `Look at ${plural(waiting, 'letter', 'letters')}` : 'Look for letters',
    lookAgain: 'Look again',
    seen: (count: number): string =>
      count === 0 ? 'No dead letter was found.' : `${plural(count, 'dead letter', 'dead letters')} found.`,
    none: 'No dead letters',
    letter: (type: string, subject: string | null): string => (subject === null ? type : `${type}, order ${subject}`),
    unreadable: 'Unreadable message',
    queue: 'Queue',
    sentAt: 'Sent at',
    reason: 'Reason',
    noReason: 'None: SQS moved it after too many attempts.',
    trace: 'Trace id',
    body: 'Body',
    show: 'Show',
    redrive: 'Redrive',
    redriveQuestion: 'Send it to its queue again?',
    redriveYes: 'Yes, redrive',
    redriven: (service: string): string => `The letter was sent to the queue of the ${service} again.`,
    discard: 'Discard',
    discardQuestion: 'Delete it permanently?',
    discardYes: 'Yes, discard',
    discarded: (service: string): string => `The letter of the ${service} was deleted.`,
    failed: (detail: string): string => `It stays: ${detail}`,
    unseen: 'The letter is gone, or another reader has it.',
  },
  connections: {
    title: 'Disconnect a customer',
    hint: 'Ends the live connections of a customer, who may connect again.',
    customer: 'Customer',
    disconnect: 'Disconnect',
    question: (customer: string): string => `End all connections of ${customer}?`,
    yes: 'Yes, disconnect',
    done: (customer: string, replicas: number, tickets: number): string =>
      `${plural(replicas, 'replica ends', 'replicas end')} the connections of ${customer}; ${plural(tickets, 'unused ticket was', 'unused tickets were')} withdrawn.`,
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
