export const shell = {
  name: 'Orderstream',
  navigation: 'Pages',
  skip: 'Skip to content',
  theme: { label: 'Colours', system: 'As the system', light: 'Light', dark: 'Dark' },
  feed: {
    connecting: 'Connecting',
    live: 'Live',
    waiting: 'Reconnecting',
    offline: 'Offline',
    label: (state: string, protocol: string): string => `${state}, over ${protocol}`,
  },
} as const;
