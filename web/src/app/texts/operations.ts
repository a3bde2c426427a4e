import { fixed, locale } from './language';

const plural = (number: number, one: string, many: string): string =>
  `${number.toLocaleString(locale)} ${number === 1 ? one : many}`;

const duration = (seconds: number): string => {
  if (seconds < 1) return `${Math.round(seconds * 1000).toString()} ms`;
  if (seconds < 90) return `${fixed(seconds, seconds < 10 ? 1 : 0)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60).toString()} min` : `${fixed(seconds / 3600, 1)} h`;
};

const count = (value: number): string =>
  value.toLocaleString(locale, { maximumFractionDigits: value < 10 && !Number.isInteger(value) ? 1 : 0 });

const bytes = (value: number): string =>
  value < 1e9 ? `${Math.round(value / 1e6).toString()} MB` : `${fixed(value / 1e9, 1)} GB`;

const list = new Intl.ListFormat(locale);

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const percentiles = { 50: 'p50', 95: 'p95', 99: 'p99' } as const;

export const operations = {
  nav: $localize`Operations`,
  pageTitle: $localize`Operations · Orderstream`,
  title: $localize`Operations`,
  duration,
  count,
  bytes,
  capital,
  percent: (share: number): string => `${fixed(share * 100, share < 0.1 && share > 0 ? 1 : 0)} %`,
  none: '–',
  stale: (service: string, time: string | null): string =>
    time === null
      ? $localize`The ${service}:service: returns no metrics.`
      : $localize`The ${service}:service: returns no metrics. Values as of ${time}:time:.`,

  status: {
    label: $localize`State of the system`,
    levels: { ok: $localize`Healthy`, warn: $localize`Degraded`, bad: $localize`Critical` },
    unknown: $localize`Checking all services`,
    partly: $localize`Partly unknown`,
    healthy: $localize`All services are ready. No queue has a backlog, no order is late.`,
    healthySince: (time: string): string => $localize`Healthy since ${time}:time:`,
    watchedSince: (time: string): string => $localize`Healthy, watched since ${time}:time:`,
    since: (time: string): string => $localize`Since ${time}:time:.`,
    sinceBefore: (time: string): string => $localize`Since before ${time}:time:.`,
    affected: (names: readonly string[]): string => $localize`Affected: ${list.format(names)}:names:.`,
    consequences: (number: number): string => plural(number, $localize`consequence`, $localize`consequences`),
    before: $localize`Before`,
    more: (number: number): string =>
      $localize`${plural(number, $localize`incident`, $localize`incidents`)}:number: more, below.`,
  },
  dependencies: { postgresql: 'PostgreSQL', sqs: 'SQS' },
  findings: {
    unreachable: (replica: string): string => $localize`${replica}:replica: can’t be reached.`,
    notReady: (replica: string, failing: readonly string[]): string =>
      failing.length > 0
        ? $localize`${replica}:replica: is not ready: ${failing.join(', ')}:failing:.`
        : $localize`${replica}:replica: is not ready.`,
    away: (dependency: string): string => $localize`${dependency}:dependency: is unavailable to all services.`,
    cut: (dependency: string, replicas: readonly string[]): string =>
      $localize`${dependency}:dependency: is unavailable to ${list.format(replicas)}:replicas:.`,
    unavailable: (service: string, number: number, requests: number): string =>
      $localize`The ${service}:service: answered ${number.toLocaleString(locale)}:number: of ${plural(requests, $localize`request`, $localize`requests`)}:requests: with 502, 503 or 504 in the last minute.`,
    deadLetters: (queue: string, number: number): string =>
      $localize`${plural(number, $localize`message`, $localize`messages`)}:number: in ${queue}:queue:.`,
    backlog: (queue: string, number: number): string =>
      $localize`${plural(number, $localize`message waits`, $localize`messages wait`)}:number: in ${queue}:queue:.`,
    depthStale: (queues: readonly string[], seconds: number): string =>
      $localize`The depth of ${queues.join(', ')}:queues: was last updated ${duration(seconds)}:seconds: ago.`,
    outbox: (service: string, pending: number, seconds: number): string =>
      $localize`The outbox of the ${service}:service: has ${plural(pending, $localize`unsent event`, $localize`unsent events`)}:pending:, the oldest ${duration(seconds)}:seconds: old.`,
    lateSagas: (late: number, seconds: number): string =>
      $localize`${plural(late, $localize`order is late`, $localize`orders are late`)}:late:, the oldest saga has been open for ${duration(seconds)}:seconds:.`,
    circuit: (service: string, client: string): string =>
      $localize`The circuit breaker of the ${service}:service: for the ${client}:client: is open.`,
    pushLag: (number: number): string =>
      $localize`The live push lags ${plural(number, $localize`notification`, $localize`notifications`)}:number: behind the feed.`,
    refusals: (number: number): string =>
      $localize`${plural(number, $localize`push connection was`, $localize`push connections were`)}:number: refused in the last minute.`,
    failures: (service: string, number: number): string =>
      $localize`The ${service}:service: answered ${plural(number, $localize`request`, $localize`requests`)}:number: with status 500 in the last minute.`,
    lostLines: (service: string, number: number): string =>
      $localize`The ${service}:service: dropped ${plural(number, $localize`log line`, $localize`log lines`)}:number: in the last minute.`,
  },

  /** What a finding was, once it is over. */
  past: {
    away: (dependency: string): string => $localize`${dependency}:dependency: was unavailable.`,
    cut: (dependency: string, replicas: readonly string[]): string =>
      $localize`${dependency}:dependency: was unavailable to ${list.format(replicas)}:replicas:.`,
    unreachable: (replica: string): string => $localize`${replica}:replica: could not be reached.`,
    notReady: (replica: string, failing: readonly string[]): string =>
      failing.length > 0
        ? $localize`${replica}:replica: was not ready: ${failing.join(', ')}:failing:.`
        : $localize`${replica}:replica: was not ready.`,
    deadLetters: (queue: string): string => $localize`Messages in ${queue}:queue:.`,
    backlog: (queue: string): string => $localize`Backlog in ${queue}:queue:.`,
    depthStale: $localize`The depth of queues was unknown.`,
    outbox: (service: string): string => $localize`The ${service}:service: could not send its events.`,
    lateSagas: $localize`Orders were late.`,
    circuit: (service: string, client: string): string =>
      $localize`The circuit breaker of the ${service}:service: for the ${client}:client: was open.`,
    pushLag: $localize`The live push lagged behind the feed.`,
    refusals: $localize`Push connections were refused.`,
    failures: (service: string): string => $localize`The ${service}:service: answered requests with status 500.`,
    unavailable: (service: string): string =>
      $localize`The ${service}:service: answered requests with 502, 503 or 504.`,
    lostLines: (service: string): string => $localize`The ${service}:service: dropped log lines.`,
  },
  /** What an alarm affects, in a list. */
  effects: {
    backlog: (queue: string): string => queue,
    lateSagas: (late: number): string => plural(late, $localize`late order`, $localize`late orders`),
    push: $localize`live push`,
  },
  incidents: {
    title: $localize`Incidents`,
    note: $localize`What this tab has seen while this page was open, in the last 24 hours.`,
    none: $localize`No incident seen.`,
    lasts: (from: string): string => $localize`since ${from}:from:`,
    lastsBefore: (from: string): string => $localize`since before ${from}:from:`,
    span: (from: string, until: string, seconds: number): string => `${from}–${until}, ${duration(seconds)}`,
    restartedAt: (replica: string, time: string): string =>
      $localize`${replica}:replica: was restarted at ${time}:time:.`,
    was: (span: string, text: string): string => `${span}: ${text}`,
  },
  traffic: {
    title: $localize`Requests of the last minute`,
    note: $localize`Without those for health, metrics, and what operators look at.`,
    service: $localize`Service`,
    requests: $localize`Requests`,
    failed: '5xx',
    refused: '4xx',
    limited: '429',
    p95: percentiles[95],
    empty: $localize`Known once a service has returned its metrics twice.`,
    statuses: $localize`By status`,
    status: $localize`Status`,
    number: $localize`Requests`,
    noRequests: $localize`No request in the last minute.`,
    refusals: $localize`Refusals by reason`,
    noRefusals: $localize`None reported since the services were started.`,
    orders: (reason: string): string => $localize`Order not placed: ${reason}:reason:`,
    problems: (reason: string): string => $localize`Problem: ${reason}:reason:`,
    limits: (reason: string): string => $localize`Request over a limit: ${reason}:reason:`,
    cut: (reason: string): string => $localize`Connection cut: ${reason}:reason:`,
    reasons: {
      '400': $localize`malformed (400)`,
      '401': $localize`not signed in (401)`,
      '403': $localize`not allowed (403)`,
      '408': $localize`too slow (408)`,
      '409': $localize`out of stock (409)`,
      '413': $localize`too large (413)`,
      '415': $localize`not JSON (415)`,
      '421': $localize`wrong host (421)`,
      '422': $localize`invalid, or an unknown product (422)`,
      '429': $localize`over a limit (429)`,
      '499': $localize`the client left (499)`,
      '500': $localize`unexpected error (500)`,
      '503': $localize`a dependency is away (503)`,
      address: $localize`of the client address`,
      principal: $localize`of the person`,
      head: $localize`the head did not arrive in time`,
      body: $localize`the body did not arrive in time`,
      bodies: $localize`incomplete bodies hold too much memory`,
      unread: $localize`the client reads nothing`,
      full: $localize`limit of open files`,
      malformed: $localize`not HTTP`,
    } as Readonly<Record<string, string>>,
  },
  saturation: {
    title: $localize`Saturation`,
    note: $localize`Of several replicas, the fullest.`,
    resource: $localize`Resource`,
    cpu: $localize`CPU, of a core`,
    memory: $localize`Memory`,
    connections: $localize`Connections`,
    files: $localize`Open files, of the limit`,
    inFlight: $localize`Messages in flight`,
    loopLag: $localize`Event loop lag, p99`,
    pool: $localize`Database connections, of the limit`,
    waiting: $localize`Statements waiting for one`,
    empty: $localize`No service reports its saturation.`,
  },

  services: {
    title: $localize`Services`,
    states: {
      unknown: $localize`Checking`,
      ready: $localize`Ready`,
      'not-ready': $localize`Not ready`,
      unreachable: $localize`Can’t be reached`,
    },
    up: (seconds: number, time: string): string => $localize`Up ${duration(seconds)}:seconds:, since ${time}:time:`,
    version: (version: string): string => $localize`Version ${version}:version:`,
    waitsFor: (dependency: string): string => $localize`Waits for ${dependency}:dependency:.`,
    dependencyStates: {
      unknown: $localize`Unknown`,
      ready: $localize`Ready`,
      partly: $localize`Partly away`,
      away: $localize`Unavailable`,
    },
    reachedBy: (services: readonly string[]): string => $localize`Reached by ${list.format(services)}:services:.`,
    unreachedBy: (replica: string, reason: string): string => `${replica}: ${reason}`,
    noReports: $localize`No service reports about it.`,
    number: (number: number): string => $localize`Replica ${number.toString()}:number:`,
    checks: (number: number): string => `${plural(number, $localize`check passes`, $localize`checks pass`)}`,
    balanced: $localize`A load balancer answers: with several replicas, each response is from one of them.`,
    outcome: (name: string, outcome: string): string => `${name}: ${outcome}`,
    noAnswer: $localize`No response.`,
  },

  charts: {
    title: $localize`Last 15 minutes`,
    note: $localize`Of the time in which this page was open in this tab. Rates and percentiles cover the preceding minute. Shaded: incidents; dashed upright lines: restarts.`,
    empty: $localize`Not enough data`,
    emptyDetail: $localize`The first points appear ten seconds after the page is opened, once there is traffic.`,
    failed: $localize`The charts failed to load`,
    failedDetail: $localize`The tables have the same data.`,
    table: $localize`Table`,
    tableOf: (chart: string): string => $localize`${chart}:chart:, minute by minute`,
    time: $localize`Time`,
    now: $localize`now`,
    ago: (minutes: number): string => `−${minutes.toLocaleString(locale, { maximumFractionDigits: 1 })} min`,
    nothing: $localize`No data yet.`,
    summary: (latest: readonly string[], highest: string): string =>
      $localize`Now: ${latest.join(', ')}:latest:. Highest: ${highest}:highest:.`,
    latest: (series: string, value: string): string => `${series} ${value}`,
    orders: {
      title: $localize`Orders per minute`,
      series: {
        placed: $localize`Placed`,
        refused: $localize`Refused`,
        closed: $localize`Closed`,
        failed: $localize`Failed`,
      },
    },
    errors: {
      title: $localize`Failed and refused requests per minute`,
      series: { requestsFailed: '5xx', requestsRefused: '4xx', requestsLimited: '429' },
    },
    placing: {
      title: $localize`Latency of placing an order`,
      series: { placing50: percentiles[50], placing95: percentiles[95], placing99: percentiles[99] },
    },
    completing: {
      title: $localize`Duration of sagas`,
      series: { completing50: percentiles[50], completing95: percentiles[95], completing99: percentiles[99] },
    },
    queues: {
      title: $localize`Messages in queues`,
      series: {
        processingQueue: $localize`Processing`,
        notificationQueue: $localize`Notification`,
        deadLetters: $localize`Dead letters`,
      },
    },
    push: {
      title: $localize`Notifications pushed per second`,
      series: { deliveries: $localize`Deliveries` },
    },
  },

  queues: {
    title: $localize`Queues`,
    queue: $localize`Queue`,
    visible: $localize`Visible`,
    inFlight: $localize`In flight`,
    delayed: $localize`Delayed`,
    deadLetters: $localize`dead letters`,
    empty: $localize`No service reports a queue.`,
    age: (seconds: number): string => $localize`as of ${duration(seconds)}:seconds: ago`,
  },

  lag: {
    title: $localize`Outboxes and sagas`,
    where: $localize`Outbox`,
    pending: $localize`Unsent events`,
    oldest: $localize`Oldest`,
    empty: $localize`No service reports an outbox.`,
    noSagas: $localize`The processing service reports no sagas.`,
    sagas: $localize`Open sagas`,
    open: $localize`Open`,
    total: $localize`Total`,
    oldestOpen: $localize`Oldest open saga`,
    lateSagas: $localize`Late, over 30 s`,
  },

  late: {
    title: $localize`Late orders`,
    none: $localize`No late orders`,
    noneDetail: $localize`An order is late when its saga has been open for over 30 s.`,
    unreachable: $localize`The late orders are unknown`,
    order: (orderId: number, version: number): string =>
      $localize`Order ${orderId.toString()}:orderId:, version ${version.toString()}:version:`,
    state: $localize`State`,
    attempts: $localize`Attempts`,
    next: $localize`Next attempt`,
    error: $localize`Last error`,
    noError: $localize`None: the saga is waiting for its next run.`,
    retry: $localize`Retry now`,
    question: (orderId: number): string =>
      $localize`Run the waiting step of order ${orderId.toString()}:orderId: at once?`,
    yes: $localize`Yes, retry`,
    retried: (orderId: number): string =>
      $localize`The waiting step of order ${orderId.toString()}:orderId: is due now.`,
    shown: (shown: number, late: number): string =>
      $localize`The newest ${shown.toString()}:shown: of ${late.toLocaleString(locale)}:late:.`,
  },

  push: {
    title: $localize`Live push`,
    empty: $localize`No notification service reports connections.`,
    protocol: $localize`Protocol`,
    protocols: { sse: 'SSE', 'sse-http10': $localize`SSE over HTTP/1.0`, ws: 'WebSocket' } as Readonly<
      Record<string, string>
    >,
    live: $localize`Live`,
    catchingUp: $localize`Catching up`,
    ending: $localize`Closing`,
    deliveries: $localize`Notifications pushed`,
    perSecond: (rate: number): string => $localize`${count(rate)}:rate: per second`,
    lag: $localize`Feed lag`,
    resets: $localize`Resets`,
    aborts: $localize`Connections aborted`,
    refusals: $localize`Connections refused`,
    counted: (total: number, lastMinute: number): string =>
      lastMinute > 0
        ? $localize`${count(total)}:total:, ${count(lastMinute)}:lastMinute: in the last minute`
        : count(total),
    never: $localize`none`,
    reasons: {
      stalled: $localize`write timeout`,
      behind: $localize`too far behind`,
      stuck: $localize`close timeout`,
      flood: $localize`rate limit exceeded`,
      'process-full': $localize`connection limit of the process`,
      'address-full': $localize`connection limit of the address`,
      draining: $localize`draining`,
      'feed-away': $localize`feed unavailable`,
      gone: $localize`client disconnected`,
    } as Readonly<Record<string, string>>,
  },

  demo: {
    title: $localize`Break the demo`,
    hint: $localize`Watch above how it is noticed, and how the system heals by itself. No order is lost.`,
    place: $localize`Place 100 orders`,
    placed: (placed: number, refused: number): string =>
      refused === 0
        ? $localize`${plural(placed, $localize`order was`, $localize`orders were`)}:placed: placed.`
        : $localize`${plural(placed, $localize`order was`, $localize`orders were`)}:placed: placed, ${refused.toString()}:refused: were refused.`,
    freeze: $localize`Freeze inventory for 20 s`,
    freezeQuestion: $localize`Suspend the inventory service?`,
    freezeYes: $localize`Yes, freeze it`,
    frozen: (seconds: number): string =>
      $localize`The inventory service answers nothing for ${seconds.toString()}:seconds: s.`,
    kill: $localize`Kill processing`,
    killQuestion: $localize`Kill the processing service with SIGKILL?`,
    killYes: $localize`Yes, kill it`,
    killed: (count: number): string =>
      $localize`${count.toString()}:count: ${count === 1 ? $localize`process was killed, and is` : $localize`processes were killed, and are`} started again.`,
  },
  deadLetters: {
    title: $localize`Dead letters`,
    hint: $localize`Messages that could not be processed. Looking receives them, so that others don’t see them for a moment.`,
    look: (waiting: number): string =>
      waiting > 0
        ? $localize`Look at ${plural(waiting, $localize`letter`, $localize`letters`)}:waiting:`
        : $localize`Look for letters`,
    lookAgain: $localize`Look again`,
    seen: (count: number): string =>
      count === 0
        ? $localize`No dead letter was found.`
        : $localize`${plural(count, $localize`dead letter`, $localize`dead letters`)}:count: found.`,
    letter: (type: string, subject: string | null): string =>
      subject === null ? type : $localize`${type}:type:, order ${subject}:subject:`,
    unreadable: $localize`Unreadable message`,
    queue: $localize`Queue`,
    sentAt: $localize`Sent at`,
    reason: $localize`Reason`,
    noReason: $localize`None: SQS moved it after too many attempts.`,
    trace: $localize`Trace id`,
    body: $localize`Body`,
    show: $localize`Show`,
    redrive: $localize`Redrive`,
    redriveQuestion: $localize`Send it to its queue again?`,
    redriveYes: $localize`Yes, redrive`,
    redriven: (service: string): string =>
      $localize`The letter was sent to the queue of the ${service}:service: again.`,
    discard: $localize`Discard`,
    discardQuestion: $localize`Delete it permanently?`,
    discardYes: $localize`Yes, discard`,
    discarded: (service: string): string => $localize`The letter of the ${service}:service: was deleted.`,
    failed: (detail: string): string => $localize`It stays: ${detail}:detail:`,
    unseen: $localize`The letter is gone, or another reader has it.`,
  },
  connections: {
    title: $localize`Disconnect a customer`,
    hint: $localize`Ends the live connections of a customer, who may connect again.`,
    customer: $localize`Customer`,
    disconnect: $localize`Disconnect`,
    question: (customer: string): string => $localize`End all connections of ${customer}:customer:?`,
    yes: $localize`Yes, disconnect`,
    done: (customer: string, replicas: number, tickets: number): string =>
      $localize`${plural(replicas, $localize`replica ends`, $localize`replicas end`)}:replicas: the connections of ${customer}:customer:; ${plural(tickets, $localize`unused ticket was`, $localize`unused tickets were`)}:tickets: withdrawn.`,
  },
  stock: {
    title: $localize`Stock`,
    product: $localize`Product`,
    find: $localize`Find`,
    stockOf: (productId: string): string => $localize`Stock of ${productId}:productId:`,
    newProduct: (productId: string): string =>
      $localize`There is no product ${productId}:productId:. Stock of a new one`,
    save: $localize`Set stock`,
    add: $localize`Add product`,
    saved: (productId: string, stock: number): string =>
      $localize`The stock of ${productId}:productId: was set to ${stock.toString()}:stock:.`,
    stale: $localize`The stock was changed meanwhile. The current one is shown: check it and try again.`,
    wrong: $localize`A whole number from 0.`,
  },
  trace: {
    title: $localize`Find a trace`,
    intro: $localize`The logs are in CloudWatch Logs and in the files of the demo, which a page can’t read. Paste a trace id, for example that of an order, and copy a command that finds its log lines in all services.`,
    label: $localize`Trace id or traceparent`,
    wrong: $localize`A trace id has 32 hexadecimal digits.`,
    insights: $localize`CloudWatch Logs Insights, over the four log groups`,
    awsCli: $localize`AWS CLI; for the demo add --endpoint-url`,
    files: $localize`Log files of the demo`,
  },
} as const;
