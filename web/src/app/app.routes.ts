import { Routes } from '@angular/router';

import { seesAll, signedIn } from './sign-in/guards';
import { texts } from './texts';

const pages: Routes = [
  {
    path: '',
    pathMatch: 'full',
    title: texts.shop.pageTitle,
    loadComponent: () => import('./shop/shop-page').then((m) => m.ShopPage),
  },
  {
    path: 'orders',
    title: texts.orders.pageTitle,
    loadComponent: () => import('./orders/orders-page').then((m) => m.OrdersPage),
  },
  {
    path: 'orders/:id',
    title: ({ paramMap }) => texts.orders.orderTitle(paramMap.get('id') ?? ''),
    loadComponent: () => import('./orders/order-page').then((m) => m.OrderPage),
  },
  {
    path: 'live',
    title: texts.live.pageTitle,
    loadComponent: () => import('./live/live-page').then((m) => m.LivePage),
  },
  {
    path: 'docs',
    title: texts.docs.pageTitle,
    loadComponent: () => import('./docs/docs-page').then((m) => m.DocsPage),
  },
  {
    path: 'operations',
    title: texts.operations.pageTitle,
    canMatch: [seesAll],
    loadComponent: () => import('./operations/operations-page').then((m) => m.OperationsPage),
  },
  {
    path: 'operations',
    title: texts.operations.pageTitle,
    loadComponent: () => import('./sign-in/forbidden-page').then((m) => m.ForbiddenPage),
  },
  {
    path: '**',
    title: texts.shell.notFound.pageTitle,
    loadComponent: () => import('./not-found-page').then((m) => m.NotFoundPage),
  },
];

export const routes: Routes = [{ path: '', canActivate: [signedIn], children: pages }];

/** Begins to load the code of the page at *url*, which the router does only when the configuration is there. */
export function loadCodeOf(url: string): void {
  const parts = partsOf(url.split(/[?#]/)[0] ?? '');
  const asked = pages.find(({ path }) => {
    const own = partsOf(path ?? '');
    return own.length === parts.length && own.every((part, place) => part.startsWith(':') || part === parts[place]);
  });
  // what fails here fails again where the router shows it
  void Promise.resolve(asked?.loadComponent?.()).catch(() => undefined);
}

function partsOf(path: string): readonly string[] {
  return path.split('/').filter((part) => part !== '');
}
