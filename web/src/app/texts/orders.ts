import { locale } from './language';
import { quoted } from './shell-quoting';

const number = new Intl.NumberFormat(locale);
const dateTime = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' });
const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'medium' });

const EVENTS = {
  CREATED: 'order-created',
  UPDATED: 'order-updated',
  CLOSED: 'order-processed',
  FAILED: 'order-failed',
  CANCELLED: 'order-cancelled',
} as const;
type Kind = keyof typeof EVENTS;

const ATTEMPTED = {
  'take stock': $localize`take stock`,
  'close order': $localize`close order`,
  'fail order': $localize`fail order`,
  'release stock': $localize`release stock`,
} as const;
type Attempted = keyof typeof ATTEMPTED;

const attemptsText = (count: number): string =>
  count === 1 ? $localize`1 attempt` : $localize`${number.format(count)}:count: attempts`;

export const orders = {
  nav: $localize`Orders`,
  pageTitle: $localize`Orders · Orderstream`,
  title: $localize`Orders`,
  orderTitle: (id: string): string => $localize`Order ${id}:id: · Orderstream`,
  /** In place of the above, for customers. */
  own: { nav: $localize`My orders`, title: $localize`My orders`, back: $localize`My orders` },
  at: (time: number): string => dateTime.format(time),
  minutes: (minutes: number, seconds: number): string => `${number.format(minutes)} min ${seconds.toString()} s`,
  list: {
    caption: $localize`Orders, newest first`,
    criteria: {
      title: $localize`Find orders`,
      all: $localize`All`,
      status: $localize`Status`,
      number: $localize`Number begins with`,
      product: $localize`Product`,
      customer: $localize`Customer`,
      trace: $localize`Trace id`,
      from: $localize`Placed from`,
      to: $localize`Placed before`,
      find: $localize`Find`,
      clear: $localize`Clear`,
      unknown: (value: string): string => $localize`“${value}:value:” is unknown.`,
      wrong: {
        number: $localize`Digits, without a leading zero.`,
        product: $localize`Letters, digits, “.”, “_” and “-”; at most 64.`,
        customer: $localize`At most 255 characters.`,
        status: $localize`No such status.`,
        trace: $localize`A trace id has 32 hexadecimal digits.`,
        from: $localize`A date and a time.`,
        to: $localize`A date and a time.`,
      },
    },
    follow: $localize`Show new orders at once`,
    fresh: (count: number, more: boolean): string =>
      $localize`${number.format(count)}:count:${more ? $localize` or more` : ''} new ${count === 1 ? $localize`order` : $localize`orders`}\: show`,
    order: $localize`Order`,
    status: $localize`Status`,
    items: $localize`Items`,
    placed: $localize`Placed`,
    took: $localize`Took`,
    open: $localize`open`,
    name: (id: number): string => $localize`Order ${id.toString()}:id:`,
    line: (productId: string, quantity: number): string => `${number.format(quantity)} × ${productId}`,
    andMore: (count: number): string => $localize`and ${number.format(count)}:count: more`,
    older: $localize`Show older orders`,
    loading: $localize`Loading orders`,
    none: $localize`There are no orders yet.`,
    noneHint: $localize`Place one in the shop.`,
    toShop: $localize`Go to the shop`,
    noMatch: $localize`No order matches.`,
    given: (filter: string, value: string): string => $localize`${filter}:filter: “${value}:value:”`,
    notUnderstood: (filters: readonly string[]): string =>
      $localize`Not understood: ${filters.join(', ')}:filters:. Nothing is listed.`,
    noMatchYet: $localize`No order matches so far; older ones were not searched yet.`,
    searching: $localize`Searching older orders …`,
    customer: $localize`Customer`,
    showAll: $localize`Show all orders`,
    failed: $localize`Loading the orders failed.`,
    stale: $localize`The list may be out of date.`,
  },
  order: {
    title: (id: string): string => $localize`Order ${id}:id:`,
    back: $localize`All orders`,
    notFound: (id: string): string => $localize`There is no order ${id}:id:.`,
    notFoundHint: $localize`Check the number; the order may be in another database.`,
    placed: (time: string): string => $localize`Placed ${time}:time:`,
    closed: (duration: string): string => $localize`closed after ${duration}:duration:`,
    failed: (duration: string): string => $localize`failed after ${duration}:duration:`,
    cancelled: (duration: string): string => $localize`cancelled after ${duration}:duration:`,
    version: (version: number): string => $localize`version ${version.toString()}:version:`,
    items: $localize`Items`,
    line: (productId: string, quantity: number): string => `${number.format(quantity)} × ${productId}`,
    failure: (reason: string): string => $localize`Why it failed: ${reason}:reason:`,
    loadFailed: $localize`Loading the order failed.`,
    unreachable: (services: string): string => $localize`Unavailable: ${services}:services:.`,
    unreachableHint: $localize`Their data is shown as last loaded, or as unknown. The page retries by itself.`,
    and: $localize` and `,
  },
  editor: {
    title: $localize`Change or cancel`,
    hint: $localize`Possible until the order is closed.`,
    over: $localize`The order can no longer be changed.`,
    quantity: (productId: string): string => $localize`Quantity of ${productId}:productId:`,
    invalid: (max: number): string => $localize`A whole number from 1 to ${number.format(max)}:max:.`,
    save: $localize`Save quantities`,
    saving: $localize`Saving …`,
    cancel: $localize`Cancel the order`,
    confirm: $localize`Cancel this order permanently?`,
    yes: $localize`Yes, cancel it`,
    no: $localize`Keep it`,
    cancelling: $localize`Cancelling …`,
    changed: (version: number): string => $localize`Saved. The order is now version ${version.toString()}:version:.`,
    cancelled: $localize`The order is cancelled. Stock that was taken for it will be released.`,
    stale: $localize`The order was changed meanwhile. The current version is shown: check it and try again.`,
    tooLate: $localize`Too late: the order is already closed, failed or cancelled.`,
    short: (productId: string, stock: number): string =>
      $localize`Only ${number.format(stock)}:stock: of ${productId}:productId: in stock.`,
    unknown: (productId: string): string => $localize`${productId}:productId: is no longer sold.`,
    refused: $localize`The order was not changed.`,
    notSure: $localize`The outcome is unknown. The current order is shown.`,
  },
  journey: {
    title: $localize`Sequence of this order`,
    hint: $localize`Times are relative to the commit of the order. Each is measured by the service where it happens; unmeasured times are omitted. Services work concurrently: the steps are in causal order.`,
    lifelines: {
      client: { name: $localize`Client`, short: $localize`Client` },
      order: { name: $localize`Order service`, short: $localize`Order` },
      inventory: { name: $localize`Inventory`, short: $localize`Stock` },
      sqs: { name: 'SQS', short: 'SQS' },
      processing: { name: $localize`Processing`, short: $localize`Saga` },
      notification: { name: $localize`Notification`, short: $localize`Notify` },
    },
    causes: {
      placed: (): string => $localize`Placed`,
      changed: (version: number): string => $localize`Changed to version ${version.toString()}:version:`,
      cancelled: (): string => $localize`Cancelled`,
    },
    states: {
      pending: $localize`Pending`,
      active: $localize`In progress`,
      done: $localize`Done`,
      failed: $localize`Refused`,
      compensated: $localize`Released`,
      unknown: $localize`Unknown`,
    },
    between: (from: string, to: string): string =>
      from === to ? $localize`, in ${from}:from:` : $localize`, from ${from}:from: to ${to}:to:`,
    hops: {
      place: (): string => 'POST /orders',
      change: (): string => 'PUT /orders',
      cancel: (): string => 'DELETE /orders',
      check: (): string => $localize`GET /inventory: in stock?`,
      save: (status: string | null): string => $localize`Saved, ${status ?? ''}`,
      announce: (kind: string | null): string => $localize`Event ${EVENTS[(kind ?? 'CREATED') as Kind]}`,
      record: (kind: string | null): string => $localize`Notification ${kind ?? ''} recorded`,
      push: (kind: string | null): string => $localize`Push ${kind ?? ''}`,
      start: (): string => $localize`Saga STARTED`,
      take: (): string => 'POST /inventory/decrement',
      close: (): string => 'POST /order/close',
      fail: (): string => 'POST /order/fail',
      release: (): string => 'POST /inventory/release',
      tell: (kind: string | null): string => $localize`Event ${EVENTS[(kind ?? 'CLOSED') as Kind]}`,
    },
    over: (protocol: string): string => $localize`over ${protocol}:protocol:`,
    offset: (duration: string): string => `+${duration}`,
    since: $localize`after the commit`,
    took: (duration: string): string => $localize`took ${duration}:duration:`,
    unmeasured: $localize`time unknown`,
    notReceived: $localize`not received by this page`,
    fromHistory: $localize`before this page was opened: from the history`,
    late: $localize`Late.`,
    retrying: (attempts: number, error: string): string =>
      $localize`Failed after ${attemptsText(attempts)}:attempts:: ${error}:error:`,
    next: (time: number): string => $localize`Next attempt at ${clock.format(time)}:time:.`,
    progress: (done: number, all: number): string =>
      $localize`${done.toString()}:done: of ${all.toString()}:all: steps done`,
    ended: (status: string, done: number, all: number): string =>
      $localize`${status}:status:. ${done.toString()}:done: of ${all.toString()}:all: steps known as done`,
  },
  waterfall: {
    title: $localize`Timeline of this order`,
    hint: $localize`To scale: what happens at the same time overlaps. Each time is measured by the service where it happens; ≈ marks those computed from durations.`,
    superseded: (title: string): string => $localize`${title}:title:: superseded by a newer version`,
    unknown: $localize`time unknown`,
    after: (began: string, estimated: boolean): string => `${estimated ? '≈ ' : ''}+${began}`,
    point: (after: string): string => after,
    span: (after: string, took: string): string => `${after}, ${took}`,
    lasting: (after: string, took: string): string => $localize`${after}:after:, for ${took}:took: so far`,
    attempts: (count: number): string => $localize`${number.format(count)}:count: attempts.`,
    atMost: $localize`At most: it was received before the outbox noted that it was sent.`,
    repeats: (count: number): string =>
      count === 1
        ? $localize`1 more failed attempt, no longer kept.`
        : $localize`${number.format(count)}:count: more failed attempts, no longer kept.`,
    failed: $localize`Failed`,
    failures: {
      unavailable: $localize`Unavailable: the attempt had no effect.`,
      'outcome-unknown': $localize`No answer: it may have had its effect.`,
      unexpected: $localize`An answer that the step can’t have.`,
      crashed: $localize`A defect of the processing service.`,
    },
    data: $localize`Data`,
    of: (step: string): string => $localize`of ${step}:step:`,
    steps: {
      place: (): string => 'POST /orders',
      change: (): string => 'PUT /orders',
      cancel: (): string => 'DELETE /orders',
      check: (): string => $localize`GET /inventory: in stock?`,
      save: (status: string | null): string => $localize`Saved, ${status ?? ''}`,
      announce: (kind: string | null): string => $localize`Event ${EVENTS[(kind ?? 'CREATED') as Kind]}`,
      tell: (kind: string | null): string => $localize`Event ${EVENTS[(kind ?? 'CLOSED') as Kind]}`,
      outbox: (queue: string | null): string => $localize`In the outbox, for ${queue ?? ''}`,
      record: (kind: string | null): string => $localize`In SQS until notification ${kind ?? ''} was recorded`,
      recorded: (kind: string | null): string =>
        $localize`Notification ${kind ?? ''} recorded while its event was in the outbox`,
      push: (kind: string | null): string => $localize`Push ${kind ?? ''}`,
      start: (): string => $localize`In SQS until the saga started`,
      take: (): string => 'POST /inventory/decrement',
      operation: (outcome: string | null): string => $localize`Stock operation: ${outcome ?? ''}`,
      close: (): string => 'POST /order/close',
      fail: (): string => 'POST /order/fail',
      release: (): string => 'POST /inventory/release',
      attempt: (step: string | null): string =>
        $localize`Failed attempt: ${ATTEMPTED[(step ?? 'take stock') as Attempted]}:step:`,
    },
  },
  trace: {
    title: $localize`Find it in the logs`,
    hint: $localize`The trace id is part of every call, message and push of the order, and of each log line.`,
    none: $localize`The trace id arrives with the first notification.`,
    demo: $localize`In the demo, a terminal`,
    insights: $localize`On AWS, CloudWatch Logs Insights over the four log groups`,
    demoCommand: (traces: readonly string[], logs: string): string =>
      `grep -hE '${traces.join('|')}' ${quoted(logs)}/*-service*.log | sort`,
    insightsQuery: (traces: readonly string[]): string =>
      [
        'fields @timestamp, service, level, message, orderId, status, path, outcome, reason',
        `| filter traceId in [${traces.map((trace) => `"${trace}"`).join(', ')}]`,
        '| sort @timestamp asc',
      ].join('\n'),
  },
} as const;
