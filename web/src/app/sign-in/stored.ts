import { isRecord } from 'orderstream-client';

import { deviceStorage, tabStorage } from '../browser';
import { Person } from './person';
import { Attempt, Tokens } from './tokens';

const SESSION = 'orderstream.session';
const ATTEMPT = 'orderstream.sign-in';
const LEFT = 'orderstream.left';
const SIGNED_OUT = 'orderstream.signed-out';

/** The sign-in of one tab. */
export interface StoredSession {
  /** Random: a duplicated tab has the same. */
  readonly id: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly person: Person;
  readonly tokens: Tokens;
  /** When the person signed in, in milliseconds since 1970. */
  readonly since: number;
}

/** The sign-in of this tab, until the tab is closed: another tab may have another person. */
export const storedSession = slot<StoredSession>(SESSION, ({ id, person, tokens, since }) =>
  [typeof id === 'string', isRecord(person), isRecord(tokens), typeof since === 'number'].every(Boolean),
);

/** The attempt that this tab waits for. */
export const storedAttempt = slot<Attempt>(ATTEMPT, ({ state, verifier, nonce, returnTo }) =>
  [state, verifier, nonce, returnTo].every((each) => typeof each === 'string'),
);

/** Whether the person has signed out in this tab, which then waits for a click. */
export const left = {
  read: (): boolean => tabStorage.read(LEFT) !== null,
  write: (value: boolean): boolean => tabStorage.write(LEFT, value ? '1' : null),
};

/** When a person last signed out in any tab of this browser: it holds for all tabs of that person. */
export const signedOut = {
  write: (subject: string, at: number): boolean => deviceStorage.write(`${SIGNED_OUT}/${subject}`, at.toString()),
  since: (subject: string, since: number): boolean =>
    Number(deviceStorage.read(`${SIGNED_OUT}/${subject}`) ?? 0) > since,
};

interface Slot<T> {
  read(): T | null;
  /** Returns false when it is not stored: it does not survive the document. */
  write(value: T | null): boolean;
}

function slot<T>(key: string, isValid: (value: Record<string, unknown>) => boolean): Slot<T> {
  return {
    read: (): T | null => {
      try {
        const value: unknown = JSON.parse(tabStorage.read(key) ?? 'null');
        return isRecord(value) && isValid(value) ? (value as T) : null;
      } catch {
        return null;
      }
    },
    write: (value): boolean => tabStorage.write(key, value === null ? null : JSON.stringify(value)),
  };
}
