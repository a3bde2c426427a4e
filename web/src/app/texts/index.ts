// All texts of the user interface: a translation replaces these files.
import { common } from './common';
import { live } from './live';
import { operations } from './operations';
import { orders } from './orders';
import { shell } from './shell';
import { shop } from './shop';

export const texts = { common, live, operations, orders, shell, shop } as const;
