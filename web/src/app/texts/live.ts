export const live = {
  nav: 'Live feed',
  pageTitle: 'Live feed · Orderstream',
  title: 'Live feed',
} as const;
