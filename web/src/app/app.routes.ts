import { Routes } from '@angular/router';

import { seesAll, signedIn } from './sign-in/guards';
import { texts } from './texts';

export const routes: Routes = [
  {
    path: '',
    canActivate: [signedIn],
    children: [
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
    ],
  },
];
