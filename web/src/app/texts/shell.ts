export const shell = {
  name: 'Orderstream',
  navigation: 'Pages',
  skip: 'Skip to content',
  jump: {
    label: 'Go to an order',
    placeholder: 'Order, product, trace',
    hint: 'An order number; a product, @customer, a status, a trace id, or a date such as 2026-11-27',
  },
  theme: { label: 'Colours', system: 'System', light: 'Light', dark: 'Dark' },
  unconfigured: {
    title: 'Orderstream can’t start',
    text: 'The configuration of this page can’t be loaded.',
    hint: 'Its server may be away. The page retries by itself.',
  },
  notFound: {
    pageTitle: 'Page not found · Orderstream',
    title: 'Page not found',
    text: 'There is no page at this address.',
    toShop: 'Go to the shop',
  },
  feed: {
    connecting: 'Connecting',
    live: 'Live',
    waiting: 'Reconnecting',
    ended: 'Disconnected',
    offline: 'Offline',
    /** Appended to one of the states. */
    over: (protocol: string): string => `, over ${protocol}`,
    heard: (seconds: number): string =>
      seconds < 90
        ? `last heard ${seconds.toString()} s ago`
        : `last heard ${Math.round(seconds / 60).toString()} min ago`,
    neverHeard: 'not heard yet',
  },
} as const;
