export const orders = {
  nav: 'Orders',
  pageTitle: 'Orders · Orderstream',
  title: 'Orders',
  journeyTitle: 'Order · Orderstream',
} as const;
