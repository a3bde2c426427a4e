export const shell = {
  name: 'Orderstream',
  navigation: 'Pages',
  skip: 'Skip to content',
  theme: { label: 'Colours', system: 'System', light: 'Light', dark: 'Dark' },
  feed: {
    connecting: 'Connecting',
    live: 'Live',
    waiting: 'Reconnecting',
    ended: 'Disconnected',
    offline: 'Offline',
    /** Appended to one of the states. */
    over: (protocol: string): string => `, over ${protocol}`,
  },
} as const;
