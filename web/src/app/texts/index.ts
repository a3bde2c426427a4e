// All texts of the user interface, in English; locale/ has the translations.
import { common } from './common';
import { docs } from './docs';
import { live } from './live';
import { operations } from './operations';
import { orders } from './orders';
import { shell } from './shell';
import { shop } from './shop';
import { signIn } from './sign-in';

export const texts = { common, docs, live, operations, orders, shell, shop, signIn } as const;
