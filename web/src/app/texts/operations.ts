export const operations = {
  nav: 'Operations',
  pageTitle: 'Operations · Orderstream',
  title: 'Operations',
} as const;
