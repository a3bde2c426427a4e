export const live = {
  nav: 'Live feed',
  pageTitle: 'Live feed · Orderstream',
  title: 'Live feed',
  intro: 'All changes of all orders, pushed by the notification service.',
  connection: {
    title: 'Connection',
    state: 'State',
    states: {
      connecting: 'Connecting',
      live: 'Live',
      waiting: 'Reconnecting',
      offline: 'Browser is offline',
    },
    protocol: 'Protocol',
    protocolHint: 'Switch at any time: the new connection resumes after the last event id.',
    sharing: 'Shared by all tabs',
    leader: 'This tab holds the connection',
    follower: 'Another tab holds the connection',
  },
  counts: {
    title: 'Counters',
    received: 'Received',
    missed: 'Recovered',
    reconnects: 'Reconnects',
    resets: 'Resets',
    malformed: 'Malformed, skipped',
  },
  views: { label: 'View', feed: 'Feed', compare: 'SSE and WebSocket side by side' },
  feed: {
    title: 'Notifications',
    filter: 'Orders',
    filterHint: 'Order numbers, for example 12 or 12, 15. Empty shows all.',
    filterWrong: 'Enter order numbers, separated by commas or spaces.',
    filtered: (address: string): string =>
      `Filtered in this page: the shared connection receives all orders. A separate client can request ${address}.`,
    pause: 'Pause',
    resume: 'Resume',
    paused: (count: number): string => `Paused: ${count.toString()} new`,
    shown: (shown: number, all: number): string =>
      shown === all ? `${all.toString()} shown` : `the newest ${shown.toString()} of ${all.toString()} shown`,
    empty: 'No notifications yet.',
    emptyDetail: 'Place an order to see its notifications here.',
    emptyFiltered: 'No notifications of these orders yet.',
    toShop: 'To the shop',
    order: (id: number): string => `Order ${id.toString()}`,
    version: (version: number): string => `version ${version.toString()}`,
    columns: { time: 'Received', latency: 'Latency' },
  },
  compare: {
    title: 'Side by side',
    intro: 'This page opens its own connection over each protocol and compares what they receive.',
    over: (protocol: string): string => `Over ${protocol}`,
    state: 'State',
    p50: 'Latency p50',
    p95: 'Latency p95',
    bytes: 'Bytes per notification',
    count: 'Compared',
    sparkline: (protocol: string, count: number): string =>
      `Latency of the last ${count.toString()} notifications over ${protocol}, from oldest to newest`,
    difference: 'Difference',
    differenceP50: 'Difference p50',
    differenceP95: 'Difference p95',
    first: 'First',
    firstOf: (protocol: string, count: number, all: number): string =>
      `${protocol}: ${count.toString()} of ${all.toString()}`,
    clocks:
      'Latency is the time of arrival by this machine’s clock minus the time of the change by the service’s clock. A clock offset shifts both latencies equally and leaves their difference exact.',
    clocksDiffer: (difference: string): string =>
      `Clock offset: this machine is at least ${difference} behind the service.`,
    writeOrder:
      'The service writes each notification to its SSE clients first, which gives SSE a small lead. Larger differences come from this browser and this machine.',
    wire: 'Bytes over HTTP/1.1, including the chunk or frame header.',
    table: 'Recent notifications over both protocols',
    columns: { what: 'Notification', difference: 'WebSocket after SSE' },
    pending: 'pending',
    empty: 'No notifications since both connections were opened.',
    tradeTitle: 'Trade-offs',
    trade: {
      rows: [
        {
          quality: 'Direction',
          sse: 'From the service to the page only.',
          ws: 'Both: the page can send messages, such as a filter.',
        },
        {
          quality: 'Filter change',
          sse: 'Needs a new connection.',
          ws: 'One message on the open connection.',
        },
        {
          quality: 'Reconnecting',
          sse: 'Built into the browser’s EventSource, which gives up after an error status. This page reads the stream and reconnects itself.',
          ws: 'By the page.',
        },
        {
          quality: 'Heartbeats',
          sse: 'Every 15 seconds, with the position in the feed.',
          ws: 'The same.',
        },
        {
          quality: 'Close',
          sse: 'A last event has the reason and the reconnection time.',
          ws: 'The same, and a close code.',
        },
        {
          quality: 'Connections',
          sse: 'One of a browser’s six connections per host over HTTP/1.1. About a hundred streams over HTTP/2.',
          ws: 'Outside of that limit.',
        },
        {
          quality: 'Proxies',
          sse: 'Plain HTTP: any proxy that does not buffer responses.',
          ws: 'Proxies have to support the upgrade, and the service has to check the Origin header.',
        },
      ],
    },
  },
} as const;
