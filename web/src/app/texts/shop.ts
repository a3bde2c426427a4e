export const shop = {
  nav: 'Shop',
  pageTitle: 'Shop · Orderstream',
  title: 'Shop',
} as const;
