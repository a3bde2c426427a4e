/**
 * The facilities that a browser may lack, deny or fail at. Nothing here throws, and nothing else touches them
 * (eslint.config.js): whoever uses one says what remains without it.
 */
export { tabChannel } from './channel';
export type { Channel } from './channel';
export { copyText } from './clipboard';
export { tabLock } from './locks';
export type { Lock, LockEvents } from './locks';
export { GuardedStorage, deviceStorage, tabStorage } from './storage';
