import { NewKey } from './basket';

/** 128 random bits; `crypto.randomUUID` is undefined in insecure contexts (HTTP from another host). */
export const randomKey: NewKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
