import { locale } from './language';

const moment = new Intl.DateTimeFormat(locale, {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

export const live = {
  nav: $localize`Live feed`,
  pageTitle: $localize`Live feed · Orderstream`,
  title: $localize`Live feed`,
  intro: $localize`All changes of all orders, pushed by the notification service.`,
  introOwn: $localize`All changes of your orders, pushed by the notification service.`,
  connection: {
    title: $localize`Connection`,
    state: $localize`State`,
    states: {
      connecting: $localize`Connecting`,
      live: $localize`Live`,
      delayed: $localize`Delayed`,
      waiting: $localize`Reconnecting`,
      ended: $localize`Disconnected`,
      offline: $localize`Browser is offline`,
    },
    delayed: $localize`The notification service can’t read the feed. Notifications are delayed until it can, and none is lost.`,
    ended: $localize`The notification service ended the connection, and nothing arrives.`,
    resume: $localize`Connect again`,
    protocol: $localize`Protocol`,
    protocolHint: $localize`Switch at any time: the new connection resumes after the last event id.`,
    sharing: $localize`Shared by all tabs`,
    leader: $localize`This tab holds the connection`,
    follower: $localize`Another tab holds the connection`,
    alone: $localize`This browser keeps tabs from sharing: each has its own`,
  },
  counts: {
    title: $localize`Counters`,
    received: $localize`Received`,
    missed: $localize`Recovered`,
    reconnects: $localize`Reconnects`,
    resets: $localize`Resets`,
    malformed: $localize`Malformed, skipped`,
  },
  views: { label: $localize`View`, feed: $localize`Feed`, compare: $localize`SSE and WebSocket side by side` },
  feed: {
    title: $localize`Notifications`,
    filter: $localize`Orders`,
    filterHint: $localize`Order numbers, for example 12 or 12, 15. Empty shows all.`,
    filterWrong: $localize`Enter order numbers, separated by commas or spaces.`,
    filtered: (address: string): string =>
      $localize`The history is read for these orders alone; the shared connection receives all. A separate client can request ${address}:address:.`,
    pause: $localize`Pause`,
    resume: $localize`Resume`,
    paused: (count: number): string => $localize`Paused: ${count.toString()}:count: new`,
    shown: (shown: number, all: number): string =>
      shown === all
        ? $localize`${all.toString()}:all: shown`
        : $localize`the newest ${shown.toString()}:shown: of ${all.toString()}:all: shown`,
    older: $localize`Show older notifications`,
    loadingOlder: $localize`Loading`,
    historyFailed: $localize`Earlier notifications can’t be read.`,
    fromHistory: $localize`history`,
    at: (time: number): string => moment.format(time),
    empty: $localize`No notifications yet.`,
    emptyDetail: $localize`Place an order to see its notifications here.`,
    emptyFiltered: $localize`No notifications of these orders yet.`,
    toShop: $localize`To the shop`,
    order: (id: number): string => $localize`Order ${id.toString()}:id:`,
    version: (version: number): string => $localize`version ${version.toString()}:version:`,
    columns: { time: $localize`Received`, happened: $localize`Happened`, latency: $localize`Latency` },
  },
  compare: {
    title: $localize`Side by side`,
    intro: $localize`A connection over each protocol, besides that of the feed, and what they receive.`,
    over: (protocol: string): string => $localize`Over ${protocol}:protocol:`,
    state: $localize`State`,
    heard: $localize`Heartbeat`,
    p50: $localize`Latency p50`,
    p95: $localize`Latency p95`,
    bytes: $localize`Bytes per notification`,
    count: $localize`Compared`,
    sparkline: (protocol: string, count: number): string =>
      $localize`Latency of the last ${count.toString()}:count: notifications over ${protocol}:protocol:, from oldest to newest`,
    difference: $localize`Difference`,
    differenceP50: $localize`Difference p50`,
    differenceP95: $localize`Difference p95`,
    first: $localize`First`,
    firstOf: (protocol: string, count: number, all: number): string =>
      $localize`${protocol}:protocol:: ${count.toString()}:count: of ${all.toString()}:all:`,
    clocks: $localize`Latency is the time of arrival by this machine’s clock minus the time of the change by the service’s clock. A clock offset shifts both latencies equally and leaves their difference exact.`,
    shared: $localize`All tabs that compare share the two connections.`,
    alone: $localize`This browser keeps tabs from sharing: each tab that compares has its own two connections. Over HTTP/1.1, more than five of them block each other and the rest of the page.`,
    ties: (count: number, all: number): string =>
      $localize`less than 1 ms apart: ${count.toString()}:count: of ${all.toString()}:all:`,
    clocksDiffer: (difference: string): string =>
      $localize`Clock offset: this machine is at least ${difference}:difference: behind the service.`,
    writeOrder: $localize`The service writes each notification to its SSE clients first, microseconds ahead. What is measured here is mostly how this browser hands it to the page: another browser may prefer the other protocol.`,
    wire: $localize`Bytes over HTTP/1.1, including the chunk or frame header.`,
    table: $localize`Recent notifications over both protocols`,
    columns: { what: $localize`Notification`, difference: $localize`WebSocket after SSE` },
    notReceived: $localize`not received`,
    empty: $localize`No notifications to compare yet.`,
    tradeTitle: $localize`Trade-offs`,
    trade: {
      rows: [
        {
          quality: $localize`Direction`,
          sse: $localize`From the service to the page only.`,
          ws: $localize`Both: the page can send messages, such as a filter.`,
        },
        {
          quality: $localize`Filter change`,
          sse: $localize`Needs a new connection.`,
          ws: $localize`One message on the open connection.`,
        },
        {
          quality: $localize`Reconnecting`,
          sse: $localize`Built into the browser’s EventSource, which gives up after an error status. This page reads the stream and reconnects itself.`,
          ws: $localize`By the page.`,
        },
        {
          quality: $localize`Heartbeats`,
          sse: $localize`Every 5 seconds for this page, 15 by default, with the position in the feed.`,
          ws: $localize`The same.`,
        },
        {
          quality: $localize`Close`,
          sse: $localize`A last event has the reason and the reconnection time.`,
          ws: $localize`The same, and a close code.`,
        },
        {
          quality: $localize`Connections`,
          sse: $localize`One of a browser’s six connections per host over HTTP/1.1. About a hundred streams over HTTP/2.`,
          ws: $localize`Outside of that limit.`,
        },
        {
          quality: $localize`Proxies`,
          sse: $localize`Plain HTTP: any proxy that does not buffer responses.`,
          ws: $localize`Proxies have to support the upgrade, and the service has to check the Origin header.`,
        },
      ],
    },
  },
} as const;
