import './language';

export const shell = {
  name: 'Orderstream',
  navigation: $localize`Pages`,
  skip: $localize`Skip to content`,
  jump: {
    label: $localize`Go to an order`,
    placeholder: $localize`Order, product, trace`,
    hint: $localize`An order number; a product, @customer, a status, a trace id, or a date such as 2026-11-27`,
  },
  language: $localize`Language`,
  theme: { label: $localize`Colours`, system: $localize`System`, light: $localize`Light`, dark: $localize`Dark` },
  unconfigured: {
    title: $localize`Orderstream can’t start`,
    text: $localize`The configuration of this page can’t be loaded.`,
    hint: $localize`Its server may be away. The page retries by itself.`,
  },
  unloaded: {
    text: $localize`The page can’t be loaded.`,
    hint: $localize`Its server may be away, or has another version by now.`,
  },
  notFound: {
    pageTitle: $localize`Page not found · Orderstream`,
    title: $localize`Page not found`,
    text: $localize`There is no page at this address.`,
    toShop: $localize`Go to the shop`,
  },
  feed: {
    connecting: $localize`Connecting`,
    live: $localize`Live`,
    delayed: $localize`Delayed`,
    waiting: $localize`Reconnecting`,
    ended: $localize`Disconnected`,
    offline: $localize`Offline`,
    /** Appended to one of the states. */
    over: (protocol: string): string => $localize`, over ${protocol}:protocol:`,
    heard: (seconds: number): string =>
      seconds < 90
        ? $localize`last heard ${seconds.toString()}:seconds: s ago`
        : $localize`last heard ${Math.floor(seconds / 60).toString()} min ago`,
    delayedFor: (seconds: number): string =>
      seconds < 90
        ? $localize`for ${seconds.toString()}:seconds: s`
        : $localize`for ${Math.floor(seconds / 60).toString()}:minutes: min`,
    neverHeard: $localize`not heard yet`,
  },
} as const;
