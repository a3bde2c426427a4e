export const live = {
  nav: 'Live feed',
  pageTitle: 'Live feed · Orderstream',
  title: 'Live feed',
  intro: 'Every change of every order, as the notification service pushes it.',
  connection: {
    title: 'Connection',
    state: 'State',
    states: {
      connecting: 'Connecting',
      live: 'Live',
      waiting: 'Lost, coming back',
      offline: 'Browser is offline',
    },
    protocol: 'Protocol',
    protocolHint: 'Switch at any time: both go on after the same id, so nothing is lost or comes twice.',
    sharing: 'Shared by all tabs',
    leader: 'This tab holds the connection',
    follower: 'Another tab holds the connection',
  },
  counts: {
    title: 'Counters',
    received: 'Received',
    missed: 'Missed, then recovered',
    reconnects: 'Reconnects',
    resets: 'Resets',
    malformed: 'Malformed, skipped',
  },
  views: { label: 'View', feed: 'Feed', compare: 'SSE and WebSocket side by side' },
  feed: {
    title: 'Notifications',
    filter: 'Orders',
    filterHint: 'Order numbers, for example 12 or 12, 15. Empty shows all.',
    filterWrong: 'Write order numbers only, with commas or spaces between them.',
    filtered: (address: string): string =>
      `Filtered in this page: the shared connection brings every order. A client of its own would ask for ${address}.`,
    pause: 'Pause',
    resume: 'Go on',
    paused: (count: number): string =>
      count === 1 ? 'Paused: 1 more came.' : `Paused: ${count.toString()} more came.`,
    shown: (shown: number, all: number): string =>
      shown === all ? `${all.toString()} shown` : `the newest ${shown.toString()} of ${all.toString()} shown`,
    empty: 'Nothing has come yet.',
    emptyDetail: 'Place an order, and watch it arrive here.',
    emptyFiltered: 'Nothing of these orders has come yet.',
    toShop: 'To the shop',
    order: (id: number): string => `Order ${id.toString()}`,
    version: (version: number): string => `version ${version.toString()}`,
    columns: { time: 'Received', latency: 'On its way for' },
  },
  compare: {
    title: 'Side by side',
    intro: 'This page has opened one connection of each kind for itself. What comes over both is compared.',
    over: (protocol: string): string => `Over ${protocol}`,
    state: 'State',
    p50: 'Latency, median',
    p95: 'Latency, 95 %',
    bytes: 'Bytes a notification',
    count: 'Compared',
    sparkline: (protocol: string, count: number): string =>
      `Latency of the last ${count.toString()} notifications over ${protocol}, the oldest left`,
    difference: 'Between the two',
    differenceP50: 'Apart, median',
    differenceP95: 'Apart, 95 %',
    first: 'Came first',
    firstOf: (protocol: string, count: number, all: number): string =>
      `${protocol}: ${count.toString()} of ${all.toString()}`,
    clocks:
      'Latency is when it came, by this machine’s clock, less when the order changed, by the service’s. Where the two clocks differ, both latencies are off by the same; how far the protocols are apart is not.',
    clocksDiffer: (difference: string): string =>
      `The clocks differ: this machine’s is at least ${difference} behind the service’s.`,
    turns:
      'The service writes each notification to its SSE clients first, so they tend to win by a little; what more there is between the two is this browser’s and this machine’s.',
    wire: 'Bytes over HTTP/1.1, with the chunk or the frame around them.',
    table: 'The last notifications over both protocols',
    columns: { what: 'Notification', difference: 'WebSocket after SSE' },
    awaited: 'awaited',
    empty: 'Nothing has come yet since both were opened.',
    tradeTitle: 'What each can do',
    trade: {
      rows: [
        {
          quality: 'Direction',
          sse: 'From the service to the page only.',
          ws: 'Both: the page can say what it wants to hear.',
        },
        {
          quality: 'Another filter',
          sse: 'Needs a new connection.',
          ws: 'One message on the open connection.',
        },
        {
          quality: 'Coming back',
          sse: 'Built into the browser, but it gives up after a wrong answer. This page does it itself.',
          ws: 'Left to the page.',
        },
        {
          quality: 'Signs of life',
          sse: 'Hidden from the page: in silence it has to ask whether silence is right.',
          ws: 'Every 15 seconds, with the place in the feed.',
        },
        {
          quality: 'Goodbye',
          sse: 'The stream ends. When to come back is told to the browser, not to the page.',
          ws: 'A message says how long to stay away, a code says why.',
        },
        {
          quality: 'Connections',
          sse: 'One of the six that a browser opens to a host over HTTP/1.1. Over HTTP/2 about a hundred.',
          ws: 'Not among the six.',
        },
        {
          quality: 'On the way',
          sse: 'Plain HTTP: any proxy that does not hold answers back.',
          ws: 'Needs proxies that know the upgrade. The service has to check whose page it is.',
        },
      ],
    },
  },
} as const;
