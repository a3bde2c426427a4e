import { NewKey } from './basket';

/** 128 random bits; `crypto.randomUUID` is not there when a page is opened over plain HTTP by the address of a machine. */
export const randomKey: NewKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
